"""The timeline panel: what happened on every core over time, and a way to go there."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout

from emu.scene.lanes import Band, Lanes
from emu.scene.scene import Scene
from gui.frame import Frame
from gui.panel import Panel
from gui.selection import Selected, Selection
from gui.theme import Theme
from gui.timeline import bands, moment
from gui.timeline.interval import SHORTEST, Interval
from gui.timeline.strip import Strip
from gui.timeline.view import View

_AT_FIRST: Final = 1_000_000  # ns that are seen at first of a run that is longer: 1 ms
_LEAST: Final = 50_000  # that can be seen: a patch takes some 10,000
_ZOOM: Final = 1.5  # a key
_PAN: Final = 4  # a key moves by this part of what is seen


class TimelinePanel(Panel):
    """All cores over time: tasks, interrupts, traps, phases, the position and the whole run.

    While the machine runs, the interval follows it until the user moves the interval; End and
    the next run let it follow again. The strip of the whole run, where one frame is less than a
    pixel, moves as often as there is a new scene.
    """

    title = "Timeline"
    moves = True
    keys: tuple[tuple[str, str], ...] = (
        ("W, S", "zoom in, zoom out"),
        ("A, D", "move to earlier, to later"),
        (". ,", "go to the next event of the selected core, to the one before"),
        ("N", "go to the next int3 on any core"),
        ("F", "show the present phase; once more: the whole run"),
        ("Home, End", "go to the begin of the run, to its end"),
    )

    def __init__(self, theme: Theme, selection: Selection) -> None:
        super().__init__(theme, selection)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.view, self.strip = View(theme), Strip(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.strip)
        self._lanes: Lanes | None = None
        self._run = Interval(0, SHORTEST)
        self._interval = Interval(0, _LEAST)
        self._position = 0
        self._asked: int | None = None
        self._arrived: tuple[int, int] | None = None  # for what time, and where
        self._selected = selection.now.time
        self._running = self._follows = False
        self._scene: Scene | None = None  # at which the strip was painted
        self._described: tuple[object, ...] = ()
        self.view.time_picked.connect(self._pick)
        self.strip.time_picked.connect(self._pick)
        self.view.core_picked.connect(selection.select_core)
        self.view.interval_picked.connect(self._look_at)
        self._actions: dict[int, Callable[[], None]] = {
            Qt.Key.Key_W: lambda: self._zoom(1 / _ZOOM),
            Qt.Key.Key_S: lambda: self._zoom(_ZOOM),
            Qt.Key.Key_A: lambda: self._look_at(self._interval.moved(-self._a_part())),
            Qt.Key.Key_D: lambda: self._look_at(self._interval.moved(self._a_part())),
            Qt.Key.Key_Period: lambda: self._go_along(moment.event_behind),
            Qt.Key.Key_Comma: lambda: self._go_along(moment.event_before),
            Qt.Key.Key_N: self._next_int3,
            Qt.Key.Key_F: self._fit,
            Qt.Key.Key_Home: lambda: self._pick(self._run.begin),
            Qt.Key.Key_End: self._go_to_end,
        }

    @property
    def interval(self) -> Interval:
        """What is seen of the run."""
        return self._interval

    def show_frame(self, frame: Frame) -> None:
        """Take over lanes and position; move the interval if it follows them."""
        lanes, running = frame.lanes, frame.state == "running"
        if lanes is None:
            self._lanes, self._running = None, False
            self._show()
            return
        run = Interval(lanes.begin, max(lanes.end, frame.edge, lanes.begin + SHORTEST))
        another = self._lanes is None or run.end < self._run.end
        self._follows = running and (self._follows or not self._running or another)
        moved = frame.position != self._position
        if moved:
            self._arrive(frame.position)
        self._lanes, self._run, self._running = lanes, run, running
        self._position = frame.position
        if another:
            span = min(max(run.span, _LEAST), _AT_FIRST)
            self._interval = Interval(run.end - span, run.end)
        if self._follows and frame.position >= run.end - 1:
            self._interval = Interval(run.end - self._interval.span, run.end)
        elif another or (moved and (self._follows or not running)):
            self._interval = self._interval.showing(frame.position)
        self._interval = self._interval.within(self._limits())
        self._show_view()
        if not running or another or frame.scene is not self._scene:
            self._show_strip()
        self._scene = frame.scene
        if not running:
            self._describe()

    def show_selected(self, selected: Selected) -> None:
        """Mark the selected core, and the time that the player was told to go to."""
        if selected.time != self._selected:
            self._selected = selected.time
            self._asked = selected.time if selected.time != self._position else None
            if self._asked is not None and self._lanes is not None:
                self._interval = self._interval.showing(self._asked).within(self._limits())
        self._show()

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        super().use_theme(theme)
        self.view.use_theme(theme)
        self.strip.use_theme(theme)

    def event(self, event: QEvent) -> bool:
        """Keep the panel's letters from the window's shortcuts while it has the focus."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self._action(event)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what `keys` says."""
        action = self._action(event)
        if action is None or self._lanes is None:
            super().keyPressEvent(event)
        else:
            action()

    def _action(self, event: QKeyEvent) -> Callable[[], None] | None:
        plain = event.modifiers() in {
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
        }
        return self._actions.get(event.key()) if plain else None

    def _limits(self) -> Interval:
        """Return how far one can look: the run, and no less than what is seen at first."""
        return Interval(self._run.begin, max(self._run.end, self._run.begin + _LEAST))

    def _show(self) -> None:
        self._show_view()
        self._show_strip()

    def _show_view(self) -> None:
        core = self.selection.now.core
        self.view.show_lanes(self._lanes, self._interval, self._position, self._asked, core)

    def _show_strip(self) -> None:
        self.strip.show_run(
            self._lanes, self._run, self._interval, self._position, not self._running
        )

    def _arrive(self, position: int) -> None:
        """Note where the player has come to, on its own or because it was told to."""
        if self._asked is None:
            self._arrived = None
            self.view.tell("")
        else:
            self._arrived = (self._asked, position)
        self._asked = None

    def _describe(self) -> None:
        """Say what is at the position, where it differs from what was said."""
        if self._lanes is None or (self._position, self._run, len(self._lanes.bands)) == (
            self._described
        ):
            return
        self._described = (self._position, self._run, len(self._lanes.bands))
        self.setAccessibleDescription(moment.describe(self._lanes, self._position))

    # What the user wants

    def _pick(self, time: int) -> None:
        self._follows = False
        time = min(max(time, self._run.begin), self._run.end)
        if time == self.selection.now.time != self._position:
            self.selection.select_time(None)  # so that going there once more is a change
        self.selection.select_time(time)

    def _look_at(self, interval: Interval) -> None:
        self._follows = False
        self._interval = interval.within(self._limits())
        self._show()

    def _a_part(self) -> int:
        return max(self._interval.span // _PAN, 1)

    def _zoom(self, factor: float) -> None:
        """Zoom at the position if it is seen, else in the middle."""
        seen = self._interval
        at = self._position if seen.holds(self._position) else seen.begin + seen.span // 2
        follows = self._follows
        self._look_at(seen.zoomed(at, factor))
        self._follows = follows

    def _from(self) -> int:
        """Return the time from which to go on: what was asked for last, or the position.

        The player stops between two instructions, so it may stop short of what was asked for.
        """
        if self._asked is not None:
            return self._asked
        if self._arrived is not None and self._arrived[1] == self._position:
            return self._arrived[0]
        return self._position

    def _go_along(self, find: Callable[..., int | None]) -> None:
        lanes = self._lanes
        if lanes is None or not lanes.lanes:
            return
        core = min(self.selection.now.core or 0, len(lanes.lanes) - 1)
        time = find(lanes.lanes[core], self._from())
        if time is None:
            self.view.tell(f"core {core}: no more events on this side")
        else:
            self._go_to(lanes, core, time)

    def _next_int3(self) -> None:
        if self._lanes is None:
            return
        found = moment.int3_behind(self._lanes, self._from())
        if found is None:
            self.view.tell("no int3 behind this moment")
        else:
            self._go_to(self._lanes, found[1], found[0])

    def _go_to(self, lanes: Lanes, core: int, time: int) -> None:
        """Select a core and a time, and say what is there."""
        self.selection.select_core(core)
        self._pick(time)
        instant = moment.nearest(lanes.lanes[core], time, 0)
        if instant is None:
            self.view.tell(moment.tell_slice(lanes, core, time, 1))
        else:
            self.view.tell(moment.tell_instant(lanes, core, instant, 1))

    def _go_to_end(self) -> None:
        """Go to the end of the run; while it grows, follow it."""
        if not self._running:
            self._pick(self._run.end)
        self._look_at(self._interval.moved(self._run.end - self._interval.end))
        self._follows = self._running

    def _fit(self) -> None:
        """Show the present phase with what is around it; if it is shown, the whole run."""
        now = self._present()
        whole = Interval(self._run.begin, self._run.end)
        fitted = whole
        if now is not None:
            end = now.end if now.end >= 0 else self._run.end
            around = max((end - now.begin) // 8, SHORTEST)
            fitted = Interval(now.begin - around, end + around).within(self._limits())
        self._look_at(whole if self._interval == fitted else fitted)

    def _present(self) -> Band | None:
        return bands.present(self._lanes.bands, self._position) if self._lanes else None
