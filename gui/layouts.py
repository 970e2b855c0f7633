"""Layouts: which there are. `docks` knows what lies where."""

from typing import Final, Literal

LayoutName = Literal["desktop", "projector"]
LAYOUTS: Final[tuple[LayoutName, ...]] = ("desktop", "projector")
