"""The story strip: where the patcher is in its plan, and what just happened."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout

from gui.frame import Frame
from gui.panel import Panel
from gui.selection import Selection
from gui.story.box import StoryBox
from gui.story.chevron import ChevronStrip
from gui.theme import Theme


class StoryPanel(Panel):
    """The phases in a row, and below them one sentence.

    Attributes:
        phase_picked: a signal: somebody wants to go to the phase of that name.
    """

    title = "Story"
    phase_picked = Signal(str)

    def __init__(self, theme: Theme, selection: Selection) -> None:
        super().__init__(theme, selection)
        self.strip, self.box = ChevronStrip(theme), StoryBox(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self.strip)
        layout.addWidget(self.box)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.strip.picked.connect(self.phase_picked)

    def show_frame(self, frame: Frame) -> None:
        """Tell what the frame's scene tells; of a failure, what failed comes first."""
        scene = frame.scene
        if scene is None:
            ended = frame.state == "ended"
            nothing = (
                "The run ended before the kernel was up."
                if ended
                else frame.message or "The kernel starts; there is nothing to tell before it is up."
            )
            self.strip.show_chapters(())
            self.box.show_words(nothing, "", None, failed=False)
        elif scene.failure is not None:
            failure = scene.failure
            actor = failure.core if failure.core >= 0 else None
            self.strip.show_chapters(scene.chapters)
            self.box.show_words(failure.sentence, scene.reason, actor, failed=True)
        else:
            self.strip.show_chapters(scene.chapters)
            self.box.show_words(scene.sentence, scene.reason, scene.actor, failed=False)

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        super().use_theme(theme)
        self.strip.use_theme(theme)
        self.box.use_theme(theme)
