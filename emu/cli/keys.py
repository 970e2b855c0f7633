"""What a person types at an interactive console: bytes for the guest, and commands after Ctrl-A.

The letters are those of QEMU's `-nographic` (qemu-options.hx, "During the graphical emulation").
"""

from enum import Enum
from typing import Final

ESCAPE: Final = 0x01  # Ctrl-A

HELP: Final = (
    "Ctrl-A X  leave",
    "Ctrl-A S  write the snapshot of --snapshot, and go on",
    "Ctrl-A H  this help",
    "Ctrl-A Ctrl-A  send Ctrl-A to the guest",
)


class Command(Enum):
    """What the person wants of textpoke."""

    LEAVE = "x"
    SNAPSHOT = "s"
    HELP = "h"


class Keys:
    """Takes the bytes of a terminal apart, also where Ctrl-A and its letter come separately."""

    def __init__(self) -> None:
        self._escaped = False

    def read(self, typed: bytes) -> list[bytes | Command]:
        """Return what was typed, in order: bytes for the guest, and commands.

        A letter that is no command is dropped with its Ctrl-A.
        """
        found: list[bytes | Command] = []
        plain = bytearray()
        for byte in typed:
            if not self._escaped and byte == ESCAPE:
                self._escaped = True
                continue
            if not self._escaped or byte == ESCAPE:
                plain.append(byte)
            elif (letter := chr(byte).lower()) in [command.value for command in Command]:
                if plain:
                    found.append(bytes(plain))
                    plain.clear()
                found.append(Command(letter))
            self._escaped = False
        if plain:
            found.append(bytes(plain))
        return found
