"""What can go wrong, as the user meets it.

Every error that is not a bug in textpoke is a `TextpokeError`. Its message is one line: what is
wrong, where, and what to do about it. `status` is the exit status of the command line
(2 bad input, 4 the guest died). Messages may quote names from files and from guest memory, so
anything that is not printable is escaped here, once: no message can drive a terminal.
"""

# ruff: noqa: N818 -- the names say what happened, as the user would: a bad image, no site

import difflib
import itertools
from collections.abc import Iterable

MAX_MESSAGE = 500
"""Characters kept of a message: names from files can be very long."""

_MAX_CANDIDATES = 20_000


class TextpokeError(Exception):
    """Base of all errors meant for the user.

    Args:
        message: one sentence; unprintable characters are escaped, length is bounded.
    """

    status: int = 2

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class BadImage(TextpokeError):
    """The image cannot be used: not ELF, truncated, does not fit into RAM, lacks something."""


class BadSchedule(TextpokeError):
    """The schedule cannot be used: cut, for another image, of a newer format."""


class BadSnapshot(TextpokeError):
    """The snapshot cannot be used: cut, damaged, of a newer format."""


class BadSymbol(TextpokeError):
    """A name that the image does not know."""

    @classmethod
    def unknown(cls, kind: str, name: str, known: Iterable[str], where: str = "") -> "BadSymbol":
        """Make the error for `name`, which is not in `known`, and suggest names close to it.

        Args:
            kind: what was looked for: "function", "type", "member".
            name: what the user wrote.
            known: the names there are; the first 20,000 of similar length are considered.
            where: where it was looked for: an image, a type.
        """
        place = f" in {where}" if where else ""
        near = closest(name, known)
        hint = f": did you mean {' or '.join(near)}?" if near else ""
        return cls(f"no {kind} {name!r}{place}{hint}")


class NoSite(TextpokeError):
    """The function cannot be patched: its entry has no site."""


class BadAssembly(TextpokeError):
    """The replacement does not assemble; the message begins with file and line."""


class BadSource(TextpokeError):
    """The replacement in C does not compile, or is not one for its function.

    Args:
        message: begins with the file.
        said: what the compiler said, line by line, printable.
    """

    def __init__(self, message: str, said: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.said = tuple(said)


class PokeError(TextpokeError):
    """The patcher refuses: the bytes in memory are not the ones the plan expects."""


class GuestDied(TextpokeError):
    """The kernel crashed, or the machine cannot go on."""

    status = 4


class ValidationError(TextpokeError):
    """A structure in guest memory contradicts itself: a list whose links do not agree."""


class Unsupported(TextpokeError):
    """Something is valid, but this version or this platform cannot do it."""


def closest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return up to `count` of the `known` names that look like `name`, best first."""
    similar = (other for other in known if abs(len(other) - len(name)) <= max(3, len(name) // 2))
    candidates = sorted(set(itertools.islice(similar, _MAX_CANDIDATES)))
    return difflib.get_close_matches(name, candidates, n=count)


def printable(text: str) -> str:
    """Return `text` with unprintable characters escaped, line ends too, cut at MAX_MESSAGE."""
    if len(text) > MAX_MESSAGE:
        text = text[: MAX_MESSAGE - 3] + "..."
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
