"""The theme as Qt takes it: a palette for its own style, and a few lines of style sheet."""

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from gui.theme import Theme


def apply(theme: Theme) -> None:
    """Let all widgets of the application have the colours of a theme."""
    QApplication.setPalette(_palette(theme))
    application = QApplication.instance()
    if isinstance(application, QApplication):
        application.setStyleSheet(_sheet(theme))


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for each, colour in (
        (role.Window, theme.ground),
        (role.WindowText, theme.ink),
        (role.Base, theme.panel),
        (role.AlternateBase, theme.ground),
        (role.Text, theme.ink),
        (role.Button, theme.panel),
        (role.ButtonText, theme.ink),
        (role.BrightText, theme.bad),
        (role.Highlight, theme.tint),
        (role.HighlightedText, theme.ink),
        (role.Link, theme.accent),
        (role.PlaceholderText, theme.dim),
        (role.ToolTipBase, theme.panel),
        (role.ToolTipText, theme.ink),
        (role.Mid, theme.line),
    ):
        palette.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor(theme.dim))
    return palette


def _sheet(theme: Theme) -> str:
    return f"""
QMainWindow, QToolBar, QStatusBar {{ background: {theme.ground}; border: none; }}
QMainWindow::separator {{ background: {theme.ground}; width: 6px; height: 6px; }}
QToolBar {{ spacing: 5px; padding: 4px; }}
QToolButton {{ background: {theme.panel}; border: 1px solid {theme.line}; border-radius: 4px;
    padding: 4px 8px; color: {theme.ink}; }}
Places QToolButton {{ padding: 1px 4px; }}
QToolButton:hover, QToolButton:focus {{ border-color: {theme.accent}; }}
QToolButton:disabled {{ color: {theme.dim}; }}
QToolButton#next_phase {{ background: {theme.accent}; border-color: {theme.accent};
    color: {theme.on_accent}; font-weight: bold; }}
QToolButton#next_phase:focus {{ border: 2px solid {theme.ink}; }}
QDockWidget {{ color: {theme.ink}; font-weight: bold; }}
QDockWidget::title {{ background: {theme.ground}; padding: 3px 4px; text-align: left; }}
QTabBar::tab {{ background: {theme.ground}; color: {theme.dim}; padding: 4px 10px;
    border: 1px solid {theme.line}; }}
QTabBar::tab:selected {{ background: {theme.panel}; color: {theme.ink}; font-weight: bold; }}
QHeaderView::section {{ background: {theme.panel}; color: {theme.dim}; border: none;
    border-bottom: 1px solid {theme.line}; padding: 2px 4px; }}
QTableView {{ background: {theme.panel}; gridline-color: {theme.line};
    border: 1px solid {theme.line}; }}
QToolTip {{ background: {theme.panel}; color: {theme.ink}; border: 1px solid {theme.line}; }}
"""
