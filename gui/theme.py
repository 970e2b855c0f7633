"""Themes: every colour and size of the window, light and dark.

A theme is data. What a colour means is its name here, and no panel has a colour of its own. No
state is told by colour alone: the panels add shape, text or hatching. Contrast against the ground
is at least 4.5 (tests/gui/test_theme.py), cores differ in lightness too, so that they can be told
apart in grey.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as #rrggbb.

    Attributes:
        ground, panel: behind everything, and behind a panel's content.
        ink, dim: text, and text that matters less.
        line: borders and rules.
        accent, on_accent, tint: the one highlight, text on it, and its pale ground.
        good, bad, warn: findings; each comes with a word or a sign.
        old, old_ink: an old byte; int3, int3_ink; new, new_ink: the others. stale: hatching and
            frame of a byte that memory no longer holds.
        cores, cores_ink: of the badges, by the number of the core.
    """

    name: str
    ground: str
    panel: str
    ink: str
    dim: str
    line: str
    accent: str
    on_accent: str
    tint: str
    good: str
    bad: str
    warn: str
    old: str
    old_ink: str
    int3: str
    int3_ink: str
    new: str
    new_ink: str
    stale: str
    cores: tuple[str, ...]
    cores_ink: tuple[str, ...]


LIGHT: Final = Theme(
    name="light",
    ground="#f3f4f6",
    panel="#ffffff",
    ink="#15181d",
    dim="#565e6b",
    line="#c4c9d2",
    accent="#1f5fc0",
    on_accent="#ffffff",
    tint="#d2e1fa",
    good="#17713b",
    bad="#b3261e",
    warn="#9a4a00",
    old="#ffffff",
    old_ink="#15181d",
    int3="#ffd23f",
    int3_ink="#15181d",
    new="#1c2631",
    new_ink="#ffffff",
    stale="#b3261e",
    cores=(
        "#09518e", "#be4b00", "#0b6c4e", "#6b2759",
        "#2a2a68", "#826400", "#00616d", "#363a3f",
    ),
    cores_ink=("#ffffff",) * 8,
)  # fmt: skip

DARK: Final = Theme(
    name="dark",
    ground="#14171c",
    panel="#1c2027",
    ink="#edeff2",
    dim="#a3abb8",
    line="#3b424e",
    accent="#7ab2ff",
    on_accent="#0d1117",
    tint="#253d66",
    good="#68d391",
    bad="#ff8a7a",
    warn="#ffab66",
    old="#1c2027",
    old_ink="#edeff2",
    int3="#ffd23f",
    int3_ink="#15181d",
    new="#eef1f5",
    new_ink="#15181d",
    stale="#ff8a7a",
    cores=(
        "#55ade7", "#f5ab6c", "#2ea97f", "#efc5e4",
        "#a9a9ff", "#ebdfa0", "#61d7e0", "#e6e9ec",
    ),
    cores_ink=("#0d1117",) * 8,
)  # fmt: skip

THEMES: Final = {theme.name: theme for theme in (LIGHT, DARK)}
