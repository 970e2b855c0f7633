"""What the image says is code: stores there are told of whether a core has fetched it or not.

The kernel's own functions, most of which nobody has called when they are patched. Unlike pages
that become text by being executed, these never stop being text.
"""

from emu.machine.native import jit
from emu.machine.state import MAX_IMAGE_TEXT, PAGE, State


@jit
def note_image_text(s: State, start: int, end: int) -> None:
    """Note that the image says physical [start, end) is code."""
    for row in range(MAX_IMAGE_TEXT):
        if s.image_text[row, 1] == 0:
            s.image_text[row, 0], s.image_text[row, 1] = start & -PAGE, end
            return


@jit
def is_image_text(s: State, address: int) -> bool:
    """Return whether the image says that a byte is code; its first page counts from the start."""
    for row in range(MAX_IMAGE_TEXT):
        if s.image_text[row, 1] == 0:
            return False
        if s.image_text[row, 0] <= address < s.image_text[row, 1]:
            return True
    return False
