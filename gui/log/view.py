"""The log panel: every event of the run, a row each, the one at the position marked."""

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHBoxLayout, QVBoxLayout

from gui.frame import Frame
from gui.label import Label
from gui.log.delegate import MARK, LogDelegate
from gui.log.model import CORE, EVERYTHING, HEADERS, KIND, TIME, Filter, LogModel, in_ms, who
from gui.panel import Panel
from gui.rows import PADDING, RowView
from gui.selection import Selection
from gui.text import mono, scaled
from gui.theme import Theme

_EnsureVisible = QAbstractItemView.ScrollHint.EnsureVisible


class LogTable(RowView):
    """The log's table, with the keys of its filters."""

    pressed_key = Signal(int)
    own_keys = RowView.own_keys | {Qt.Key.Key_C, Qt.Key.Key_K, Qt.Key.Key_Escape}

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take C, K and Esc; the others move the current row."""
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if plain and event.key() in {Qt.Key.Key_C, Qt.Key.Key_K, Qt.Key.Key_Escape}:
            self.pressed_key.emit(event.key())
            return
        super().keyPressEvent(event)


class LogPanel(Panel):
    """The events in words. It follows the position; a row that is chosen moves it."""

    title = "Log"
    keys = (
        ("Up, Down, Page Up, Page Down", "go to the event before or after"),
        ("Home, End", "go to the first or the last event"),
        ("C", "show only events of the current row's core, or all again"),
        ("K", "show only events of the current row's kind, or all again"),
        ("Esc", "show all events"),
    )

    def __init__(self, theme: Theme, selection: Selection) -> None:
        super().__init__(theme, selection)
        self._position: int | None = None
        self._chosen = False  # the current row, by a person, and the position has not followed yet
        self._digits = 10**8  # the smallest time as wide as any so far
        self._patched = False  # as of the model, when the columns got their widths
        self.model = LogModel(self)
        self.table = LogTable()
        self.table.setAccessibleName(self.title)
        self.table.setModel(self.model)
        self._delegate = LogDelegate(theme, self.model, self.table)
        self.table.setItemDelegate(self._delegate)
        self.cores, self.kinds = QComboBox(), QComboBox()
        self.found = Label("How many events are shown")
        self.detail = Label("The selected event", wraps=True)
        self._lay_out()
        self.setFocusProxy(self.table)
        for label in (self.found, self.detail):
            label.setIndent(PADDING)
        self._searching = QTimer(self)
        self._searching.setInterval(0)
        self._searching.timeout.connect(self._search)
        self.table.chosen.connect(self._choose)
        self.table.pressed_key.connect(self._filter_by_key)
        self.cores.activated.connect(self._filter_by_boxes)
        self.table.verticalScrollBar().valueChanged.connect(self._name_kinds)
        self.kinds.activated.connect(self._filter_by_boxes)
        self._name_filters(0)
        self._fit()

    def show_frame(self, frame: Frame) -> None:
        """Take over what has been added, and go along with the position."""
        self._name_filters(len(frame.scene.cores) if frame.scene else 0)
        if frame.edge >= 10 * self._digits:
            self._digits = 10 ** (len(str(frame.edge)) - 1)
            self._fit()
        rows = self.model.rowCount()
        self.model.show(frame.log, frame.position)
        self.model.learn_kinds()
        self._name_kinds()
        self._go_on_searching()
        if self._position != frame.position or self.model.rowCount() < rows:
            self._position = frame.position
            if not self._chosen or self.model.rowCount() < rows:
                self._scroll_to_mark()
            self._chosen = False
        self._count()

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        super().use_theme(theme)
        self._delegate.theme = theme
        self.table.viewport().update()

    def use_filter(self, chosen: Filter) -> None:
        """Show the events of one core or kind, or all."""
        if chosen == self.model.filter:
            return
        self.model.use_filter(chosen)
        self._show_filter()
        self._scroll_to_mark()
        self._go_on_searching()
        self._count()

    def _choose(self, row: int) -> None:
        self._show_detail()
        self._chosen = True
        self.selection.select_time(self.model.line(row).time)

    def _show_detail(self) -> None:
        """Say all of the current row, which the columns may have to cut."""
        row = self.table.currentIndex().row()
        text = ""
        if row >= 0:
            line = self.model.line(row)
            text = f"{in_ms(line.time)} ms, {who(line.core)}, {line.kind}: {line.text}"
        self.detail.show_text(text)

    def _scroll_to_mark(self) -> None:
        """Make the marked row the current one, unless that has happened at the same time."""
        marked = self.model.marked
        if marked < 0:
            self.table.put(None, _EnsureVisible)
            self._show_detail()
            return
        row = self.table.currentIndex().row()
        if row < 0 or self.model.line(row).time != self.model.line(marked).time:
            row = marked
        self.table.put(row, _EnsureVisible)
        self._show_detail()

    def _filter_by_key(self, key: int) -> None:
        old, row = self.model.filter, self.table.currentIndex().row()
        if key == Qt.Key.Key_Escape:
            self.use_filter(EVERYTHING)
        elif row >= 0:
            line = self.model.line(row)
            if key == Qt.Key.Key_C:
                self.use_filter(Filter(None if old.core is not None else line.core, old.kind))
            else:
                self.use_filter(Filter(old.core, None if old.kind is not None else line.kind))

    def _filter_by_boxes(self) -> None:
        self.use_filter(Filter(self.cores.currentData(), self.kinds.currentData()))

    def _go_on_searching(self) -> None:
        if self.model.unread and not self._searching.isActive():
            self._searching.start()

    def _search(self) -> None:
        before = self.model.marked
        self.model.search()
        if before != self.model.marked:
            self._scroll_to_mark()
        if not self.model.unread:
            self._searching.stop()
        self._name_kinds()
        self._count()

    def _count(self) -> None:
        text = f"{self.model.rowCount():,} events"
        if self.model.unread:
            text += f", {self.model.unread:,} still to search"
        self.found.show_text(text)

    def _name_filters(self, cores: int) -> None:
        if self.cores.count() != cores + 2:
            self.cores.clear()
            self.cores.addItem("all cores", None)
            for core in range(-1, cores):
                self.cores.addItem(who(core), core)
        self._name_kinds()
        self._show_filter()

    def _name_kinds(self) -> None:
        """Offer the kinds that have been met, and make room for what the lines say."""
        if self.model.patched != self._patched:
            self._patched = self.model.patched
            self._fit()
        if self.kinds.count() == 0:
            self.kinds.addItem("all kinds", None)
        if len(self.model.kinds) < self.kinds.count():
            return
        for kind in sorted(self.model.kinds):
            if self.kinds.findData(kind) < 0:
                self.kinds.addItem(kind, kind)
        self._fit()

    def _show_filter(self) -> None:
        self._name_kinds()
        self.cores.setCurrentIndex(max(0, self.cores.findData(self.model.filter.core)))
        self.kinds.setCurrentIndex(max(0, self.kinds.findData(self.model.filter.kind)))

    def _lay_out(self) -> None:
        self.cores.setAccessibleName("Show events of")
        self.kinds.setAccessibleName("Show events of the kind")
        self.kinds.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        above = QHBoxLayout()
        above.addWidget(self.cores)
        above.addWidget(self.kinds)
        above.addWidget(self.found, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(above)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.detail)

    def _fit(self) -> None:
        """Give time, core and kind what they need, and the text the rest."""
        metrics = QFontMetrics(self.table.font())
        strong = QFontMetrics(scaled(self.table.font(), 1, bold=True))
        kinds = [HEADERS[KIND], *self.model.kinds]
        self.detail.setMinimumHeight(metrics.lineSpacing())
        digits = QFontMetrics(scaled(mono(), 1, bold=True))
        for column, width in (
            (TIME, digits.horizontalAdvance(f"{MARK} {in_ms(self._digits)}")),
            (CORE, metrics.horizontalAdvance(who(-1) if self._patched else HEADERS[CORE])),
            (KIND, max(strong.horizontalAdvance(kind) for kind in kinds)),
        ):
            self.table.setColumnWidth(column, width + 3 * PADDING)

    # Names below are Qt's.

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()
