"""A value in a JSON file, believed in nothing: its type and its range are checked when it is taken.

A `Value` knows the way to itself, so that every refusal says where in the file it is. The way is
only put together when it is needed: a schedule has millions of values.
"""

import re
from collections.abc import Sequence

from emu.errors import BadSchedule, closest

_HEX = re.compile(r"[0-9a-f]*")
_ADDRESS = re.compile(r"[0-9a-f]{1,16}")
_SHOWN = 40


class Value:
    """One value of a file.

    Args:
        data: what the JSON reader made of it.
        key: name or index of the value in its parent; the name of the file for the root.
        parent: the object or list it is in.
    """

    __slots__ = ("data", "key", "parent")

    def __init__(self, data: object, key: str | int, parent: "Value | None" = None) -> None:
        self.data = data
        self.key = key
        self.parent = parent

    def bad(self, message: str) -> BadSchedule:
        """Return the error "FILE: WAY MESSAGE"."""
        return BadSchedule(f"{self.way()} {message}")

    def way(self) -> str:
        """Return where the value is: `file.json: plans[3].steps[7][1]`."""
        parts: list[str] = []
        value = self
        while value.parent is not None:
            parts.append(f"[{value.key}]" if isinstance(value.key, int) else f".{value.key}")
            value = value.parent
        place = "".join(reversed(parts)).removeprefix(".")
        return f"{value.key}: {place}" if place else f"{value.key}:"

    def fields(self, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, "Value"]:
        """Return the members of an object, which has the required ones and no unknown one."""
        if not isinstance(self.data, dict):
            raise self._wrong("an object")
        known = (*required, *optional)
        for key in self.data:
            if key not in known:
                near = closest(key, known, 1) if len(key) <= _SHOWN else []
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
                raise self.bad(f"has an unknown key {_shown(key)}: {hint}")
        for key in required:
            if key not in self.data:
                raise self.bad(f"has no {key!r}, which it needs")
        return {key: Value(data, key, self) for key, data in self.data.items()}

    def items(self, least: int, most: int) -> list["Value"]:
        """Return the elements of a list of `least` to `most` of them."""
        found = self.elements(least, most)
        return [Value(data, index, self) for index, data in enumerate(found)]

    def elements(self, least: int, most: int) -> list[object]:
        """Return the elements of a list as they are, where there are too many to wrap each."""
        if not isinstance(self.data, list):
            raise self._wrong("a list")
        if not least <= len(self.data) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise self.bad(f"has {len(self.data)} elements, but must have {wanted}")
        return self.data

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.data, bool):
            raise self._wrong("true or false")
        return self.data

    def number(self, least: int, most: int) -> int:
        """Return a whole number of `least` to `most`."""
        if type(self.data) is not int:  # a bool is an int to isinstance
            raise self._wrong("a whole number")
        if not least <= self.data <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise self.bad(f"is {self.data}, but must be {wanted}")
        return self.data

    def text(self, most: int) -> str:
        """Return text that has an encoding and at most `most` characters."""
        if not isinstance(self.data, str):
            raise self._wrong("text")
        if len(self.data) > most:
            raise self.bad(f"has {len(self.data)} characters, but {most} are the most")
        if any("\ud800" <= char <= "\udfff" for char in self.data) or "\0" in self.data:
            raise self.bad(f"is {_shown(self.data)}, which no text can contain")
        return self.data

    def label(self, most: int) -> str:
        """Return text for people: not empty, and nothing in it that could drive a terminal."""
        text = self.text(most)
        if not text or not text.isprintable():
            raise self.bad(f"is {_shown(text)}, but must be printable text")
        return text

    def word(self, words: Sequence[str]) -> str:
        """Return one of `words`."""
        if not isinstance(self.data, str) or self.data not in words:
            raise self._wrong(" or ".join(words))
        return self.data

    def hexadecimal(self, least: int, most: int) -> bytes:
        """Return `least` to `most` bytes, written as pairs of lower-case hex digits."""
        if not isinstance(self.data, str) or len(self.data) % 2 or not _HEX.fullmatch(self.data):
            raise self._wrong("bytes in hex")
        if not least <= len(self.data) // 2 <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise self.bad(f"has {len(self.data) // 2} bytes, but must have {wanted}")
        return bytes.fromhex(self.data)

    def address(self, size: int) -> int:
        """Return the address, in hex, of `size` bytes that end below 2**64."""
        if not isinstance(self.data, str) or not _ADDRESS.fullmatch(self.data):
            raise self._wrong("an address in hex")
        address = int(self.data, 16)
        if address + size > 1 << 64:
            raise self.bad(f"is {self.data}, where {size} bytes do not fit")
        return address

    def _wrong(self, wanted: str) -> BadSchedule:
        return self.bad(f"is {_shown(self.data)}, but must be {wanted}")


def _shown(data: object) -> str:
    """Return what a value is, in a few words."""
    match data:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[data]
        case str() if len(data) > _SHOWN:
            return f"{data[:_SHOWN]!r}..."
    return repr(data)
