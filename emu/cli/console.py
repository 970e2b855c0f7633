"""What a verb says, and where: results on standard output, everything about them on standard error.

Bytes of a guest go to a file or a pipe as they are. On a terminal they are shown and never obeyed:
a kernel under test can print anything, and an escape sequence can retitle a window or type for
its user. Only newline, carriage return and tab keep their meaning.
"""

import json
import os
import sys
import threading
from typing import Final, TextIO

from emu.errors import TextpokeError

_SHOWN: Final = {
    byte: chr(byte) if 0x20 <= byte < 0x7F or byte in b"\n\r\t" else f"\\x{byte:02x}"
    for byte in range(256)
}

terminal = threading.Lock()
"""Held while something is printed: output and a progress line come from different threads."""


class OutputError(TextpokeError):
    """Standard output cannot be written: the disk is full, for instance."""

    status = 74  # EX_IOERR of sysexits.h


def line(text: str) -> None:
    """Print a line of results."""
    _write(sys.stdout, text + "\n")


def note(text: str) -> None:
    """Print a line about what happens, on standard error."""
    _write(sys.stderr, f"textpoke: {text}\n")


def note_more(text: str) -> None:
    """Print a line that belongs to the note before it, on standard error."""
    _write(sys.stderr, f"  {text}\n")


def document(value: object) -> None:
    """Print a result for scripts: JSON in one line."""
    line(json.dumps(value))


def serial(data: bytes) -> None:
    """Print what a guest sent on its serial line."""
    if sys.stdout.isatty():
        _write(sys.stdout, shown(data))
    else:
        _write(sys.stdout, data)


def raw(data: bytes) -> None:
    """Print what a guest sent to its interactive console, which obeys it."""
    _write(sys.stdout, data)


def shown(data: bytes) -> str:
    """Return bytes of a guest as text that no terminal obeys."""
    return "".join(_SHOWN[byte] for byte in data)


def printable(text: str) -> str:
    """Return text from a file as text that no terminal obeys; newlines and tabs stay."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text
    )


def _write(stream: TextIO, what: str | bytes) -> None:
    try:
        with terminal:
            if isinstance(what, bytes):
                stream.flush()
                stream.buffer.write(what)
                stream.buffer.flush()
            else:
                stream.write(what)
                stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"the output cannot be written: {error.strerror or error}") from None


def prepare() -> None:
    """Make the standard streams fit for any text, open or closed as they are."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller: `>&-`
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 -- as long as we run
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def give_up_output() -> None:
    """Nobody reads standard output any more: let the last flush of Python go nowhere."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # a stream without a descriptor has no reader to lose
