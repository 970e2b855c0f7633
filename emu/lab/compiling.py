"""Whether the machine is being compiled, which takes a minute or two the first time."""

from emu.machine.compiling import announce, busy

__all__ = ["announce", "busy"]
