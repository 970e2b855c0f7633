import itertools

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from emu.scene.scene import Byte, Version
from gui.cells import Look, describe, paint_cell
from gui.text import mono
from gui.theme import THEMES, Theme

LOOKS = [Look(version, stale) for version in Version for stale in (False, True)]

pytestmark = pytest.mark.usefixtures("qapp")


def _grey(theme: Theme, look: Look, side: int) -> bytes:
    """A cell without hue, at 16 levels of grey."""
    image = QImage(side, side, QImage.Format.Format_RGB32)
    image.fill(QColor(theme.panel))
    painter = QPainter(image)
    painter.setFont(mono())
    paint_cell(painter, theme, QRectF(0, 0, side, side), "e8", look)
    painter.end()
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    return bytes(value >> 4 for value in bytes(grey.constBits())[: side * side])


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@pytest.mark.parametrize("side", [18, 24, 40])
def test_no_two_looks_are_alike_without_hue(theme: Theme, side: int) -> None:
    painted = {look: _grey(theme, look, side) for look in LOOKS}
    for one, other in itertools.combinations(LOOKS, 2):
        differing = sum(a != b for a, b in zip(painted[one], painted[other], strict=True))
        assert differing >= side * side // 20, (one, other)


def test_a_changed_cell_has_a_frame_of_the_accent() -> None:
    for theme in THEMES.values():
        assert _grey(theme, Look(Version.NEW, fresh=True), 24) != _grey(
            theme, Look(Version.NEW), 24
        )


def test_a_stale_byte_is_told_with_what_memory_holds() -> None:
    assert describe(Byte(0x1F, 0x06, Version.OLD)) == "1f: old; stale: memory holds 06"
    assert describe(Byte(0xCC, 0xCC, Version.INT3)) == "cc: int3"
