import itertools

import pytest
from PySide6.QtGui import QColor

from gui.theme import THEMES, Theme


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    rgb = QColor(colour)
    parts = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (rgb.redF(), rgb.greenF(), rgb.blueF())
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _contrast(one: str, other: str) -> float:
    """Contrast, WCAG 2.2: 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _pairs(theme: Theme) -> list[tuple[str, str]]:
    """Every text, on each ground that it is written on."""
    texts = (theme.ink, theme.dim, theme.good, theme.bad, theme.warn, theme.accent)
    grounds = (theme.ground, theme.panel)
    return [
        *itertools.product(texts, grounds),
        *((text, theme.tint) for text in (theme.ink, theme.dim, theme.bad, theme.good)),
        (theme.on_accent, theme.accent),
        (theme.old_ink, theme.old),
        (theme.int3_ink, theme.int3),
        (theme.new_ink, theme.new),
        *zip(theme.cores_ink, theme.cores, strict=True),
    ]


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_every_text_stands_out_from_its_ground(theme: Theme) -> None:
    weak = {pair: _contrast(*pair) for pair in _pairs(theme) if _contrast(*pair) < 4.5}
    assert not weak


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_lines_of_meaning_stand_out_from_the_panel(theme: Theme) -> None:
    # WCAG 1.4.11: graphics that carry meaning, 3 at least.
    for colour in (theme.accent, theme.stale, theme.dim, *theme.cores):
        assert _contrast(colour, theme.panel) >= 3, colour


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_cores_differ_in_lightness(theme: Theme) -> None:
    levels = [116 * _luminance(colour) ** (1 / 3) - 16 for colour in theme.cores]  # CIE L*
    for (first, one), (second, other) in itertools.combinations(enumerate(levels), 2):
        apart = 5 if max(first, second) < 4 else 2.5  # most machines have four cores at most
        assert abs(one - other) >= apart, (first, second, levels)
