"""Kernels of a few 64-bit instructions, started as Linux is: they say a text and end."""

from pathlib import Path

from tests.image.linux_builder import vmlinux

OFF = "66 ba 04 06  66 b8 00 20  66 ef"  # PM1a control: the machine is off
LATER = f"b9 40 42 0f 00  ff c9  75 fc  {OFF}"  # after two million instructions
RESET = "b0 fe  e6 64"
EXIT_3 = "b0 03  e6 f4"
SPIN = "eb fe"

_SAY = "48 8d 35 {:s}  66 ba f8 03  ac  84 c0  74 03  ee  eb f8"  # each byte to COM1, up to a 0
_BEHIND = 12  # bytes of it behind the first instruction


def kernel(folder: Path, text: bytes, end: str, name: str = "vmlinux") -> Path:
    """Write a kernel that says `text` and then does what `end` is."""
    ending = bytes.fromhex(end + SPIN)
    distance = (_BEHIND + len(ending)).to_bytes(4, "little").hex()
    code = bytes.fromhex(_SAY.format(distance)) + ending + text + b"\0"
    path = folder / name
    path.write_bytes(vmlinux(code=code, memsz=0x1000))
    return path
