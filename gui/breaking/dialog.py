"""The dialog "Break it": leave a step of the protocol out, and run again with the same seed."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QRegularExpression, Qt
from PySide6.QtGui import QFontMetrics, QRegularExpressionValidator
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from gui.breaking.choice import MODELS, Choice, sentence
from gui.label import Label
from gui.text import scaled

NOTHING: Final = ("nothing", "the protocol as it should be")
MOST_CORES: Final = 8
_MOST_BREAKS: Final = 14  # rows of the list

_Role = Qt.ItemDataRole
_TOO_FEW = "Choose a function to patch: Space marks one in the list."
_NO_SEED = f"The seed is a number from 0 to {2**64 - 1}."


class BreakDialog(QDialog):
    """Asks for a Choice.

    Args:
        now: what runs; the dialog opens with it.
        breaks: (name, explanation) of each.
        functions: the names to choose from; those that are patched now are added if they lack.
            None of both: there is nothing to choose.
        fixed: cores and fetch model cannot be chosen.
    """

    def __init__(
        self,
        now: Choice,
        breaks: Sequence[tuple[str, str]],
        functions: Sequence[str],
        parent: QWidget | None = None,
        *,
        fixed: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Break it")
        self.setAccessibleName("Break it")
        self._explanations = dict(breaks)
        self.breaks = _list_of("What is broken")
        for name, explanation in (NOTHING, *breaks):
            item = QListWidgetItem(f"{name}: {explanation}", self.breaks)
            item.setData(_Role.UserRole, None if (name, explanation) == NOTHING else name)
            if item.data(_Role.UserRole) == now.broken:
                self.breaks.setCurrentItem(item)
        self.functions = _list_of("Functions to patch")
        patched_first = (*now.functions, *(f for f in functions if f not in now.functions))
        for name in patched_first:
            item = QListWidgetItem(name, self.functions)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            marked = Qt.CheckState.Checked if name in now.functions else Qt.CheckState.Unchecked
            item.setCheckState(marked)
        self.functions.setCurrentRow(0)
        self._chooses = bool(patched_first)
        self.model = QComboBox()
        self.model.setAccessibleName("Fetch model")
        for name, allows in MODELS.items():
            self.model.addItem(f"{name}: {allows}", name)
        self.model.setCurrentIndex(self.model.findData(now.model))
        self.seed = QLineEdit(str(now.seed))
        self.seed.setAccessibleName("Seed")
        digits = QRegularExpression("[0-9]{1,20}")
        self.seed.setValidator(QRegularExpressionValidator(digits, self.seed))
        self.cores = QSpinBox()
        self.cores.setAccessibleName("Number of cores")
        self.cores.setRange(1, MOST_CORES)
        self.cores.setValue(now.cores)
        self.sentence = Label("What will run", wraps=True)
        ok, cancel = QDialogButtonBox.StandardButton.Ok, QDialogButtonBox.StandardButton.Cancel
        self.buttons = QDialogButtonBox(ok | cancel)
        self.buttons.button(ok).setText("Start")
        self.model.setDisabled(fixed)
        self.cores.setDisabled(fixed)
        self._lay_out()
        self.breaks.currentRowChanged.connect(self._tell)
        self.functions.itemChanged.connect(self._tell)
        self.model.currentIndexChanged.connect(self._tell)
        self.seed.textChanged.connect(self._tell)
        self.cores.valueChanged.connect(self._tell)
        self.breaks.itemActivated.connect(self._start)
        self.functions.itemActivated.connect(self._start)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.breaks.setFocus()
        self._tell()

    def choice(self) -> Choice | None:
        """Return what is chosen, or None while something is missing."""
        functions = self._marked()
        seed = self.seed.text()
        broken = self.breaks.currentItem()
        if (self._chooses and not functions) or not seed or int(seed) >= 2**64 or broken is None:
            return None
        return Choice(
            broken.data(_Role.UserRole),
            self.model.currentData(),
            int(seed),
            functions,
            self.cores.value(),
        )

    def _marked(self) -> tuple[str, ...]:
        items = [self.functions.item(row) for row in range(self.functions.count())]
        return tuple(each.text() for each in items if each.checkState() == Qt.CheckState.Checked)

    def _tell(self) -> None:
        """Say what will run, or what is missing."""
        choice = self.choice()
        start = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        start.setEnabled(choice is not None)
        if choice is not None:
            text = sentence(choice, self._explanations.get(choice.broken or "", ""))
        else:
            text = _NO_SEED if self._marked() or not self._chooses else _TOO_FEW
        self.sentence.setText(text)

    def _start(self) -> None:
        """Start on Enter in a list, too."""
        if self.choice() is not None:
            self.accept()

    def _lay_out(self) -> None:
        metrics = QFontMetrics(self.font())
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, widget in (
            ("&Break", self.breaks),
            ("&Functions", self.functions),
            ("Fetch &model", self.model),
            ("S&eed", self.seed),
            ("&Cores", self.cores),
        ):
            form.addRow(label, widget)
        form.setRowVisible(self.functions, self._chooses)
        _show_rows(self.breaks, min(_MOST_BREAKS, self.breaks.count()))
        _show_rows(self.functions, min(4, self.functions.count()))
        self.sentence.setFont(scaled(self.font(), 1, bold=True))
        self.sentence.setMinimumHeight(4 * metrics.lineSpacing())
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.sentence)
        layout.addWidget(self.buttons)
        texts = [self.breaks.item(row).text() for row in range(self.breaks.count())]
        texts += [self.model.itemText(row) for row in range(self.model.count())]
        widest = max(metrics.horizontalAdvance(text) for text in texts)
        self.resize(widest + 24 * metrics.averageCharWidth(), self.sizeHint().height())


def _list_of(name: str) -> QListWidget:
    """Return an empty list. Its own keys: Up and Down, letters to search, Space to mark."""
    found = QListWidget()
    found.setAccessibleName(name)
    found.setUniformItemSizes(True)
    found.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
    return found


def _show_rows(shown: QListWidget, rows: int) -> None:
    """Let so many rows be seen; the others are scrolled to."""
    shown.setFixedHeight(rows * shown.sizeHintForRow(0) + 2 * shown.frameWidth() + 2)
