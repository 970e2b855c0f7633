"""The file of a schedule: JSON that is read with suspicion and written whole or not at all.

What a schedule says is checked in `schedule`; here is what any JSON file can do to its reader:
be missing, huge, cut off, nested without end, full of brackets, or say a thing twice.
"""

import json
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

from emu import whole_file
from emu.errors import BadSchedule
from emu.moves.json_value import Value

MAX_FILE: Final = 64 << 20
MAX_BRACKETS: Final = 1 << 20
MAX_COLONS: Final = 1 << 20
MAX_COMMAS: Final = 8 << 20
"""Bytes of a file; lists and objects in it, members and values, as counted by their signs.

Each takes memory beyond its bytes: with these bounds, what a file takes is about 1 GiB at the most.
"""

_MAX_DIGITS = 20
_LINE = 100


def load(path: str | Path) -> Value:
    """Return what the JSON file at `path` says; BadSchedule if it is not one."""
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadSchedule(f"{path}: not a file")
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise BadSchedule(f"{path}: {reason or 'cannot be read'}") from None
    if len(data) > MAX_FILE:
        raise BadSchedule(f"{path}: over {MAX_FILE >> 20} MiB, too large for a schedule")
    return Value(parse(data, str(path)), str(path))


def parse(data: bytes, name: str) -> object:
    """Return the value of a JSON text; `name` is for messages."""
    if not data.strip():
        raise BadSchedule(f"{name}: the file is empty")
    for things, signs, most in (
        ("lists and objects", (b"[", b"{"), MAX_BRACKETS),
        ("members", (b":",), MAX_COLONS),
        ("values", (b",",), MAX_COMMAS),
    ):
        if sum(map(data.count, signs)) > most:
            raise BadSchedule(f"{name}: over {most} {things}, no schedule has so many")
    try:
        text = data.decode()
        return _decoder(name).decode(text)
    except UnicodeDecodeError:
        raise BadSchedule(f"{name}: not a schedule: it is not text") from None
    except RecursionError:
        raise BadSchedule(f"{name}: not a schedule: it is nested too deeply") from None
    except json.JSONDecodeError as error:
        end = text.rstrip()
        unfinished = error.pos >= len(end) or not end.endswith("}")
        if end.startswith("{") and unfinished and not error.msg.startswith("Extra data"):
            raise BadSchedule(
                f"{name}: cut off in line {end.count(chr(10)) + 1}: copy or save it again"
            ) from None
        raise BadSchedule(f"{name}: not JSON: line {error.lineno}: {error.msg}") from None


def _decoder(name: str) -> json.JSONDecoder:
    """Return a reader that refuses what JSON allows and no schedule has."""

    def refuse(number: str) -> NoReturn:
        raise BadSchedule(f"{name}: the number {number[:40]}: a schedule has whole numbers only")

    def whole(digits: str) -> int:
        if len(digits) > _MAX_DIGITS:
            raise BadSchedule(f"{name}: the number {digits[:_MAX_DIGITS]}... is far too large")
        return int(digits)

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise BadSchedule(f"{name}: the key {twice[:40]!r} is there twice: remove one")
        return found

    return json.JSONDecoder(
        parse_int=whole, parse_float=refuse, parse_constant=refuse, object_pairs_hook=members
    )


def check_target(path: str | Path) -> Path:
    """Return the file that `save` would replace, links followed; BadSchedule if it could not.

    For asking before a long run rather than after it.
    """
    return whole_file.check_target(path, "a schedule", BadSchedule)


def save(path: str | Path, document: dict[str, object]) -> None:
    """Write a document to `path`: after that the file is the old one or all of the new one."""
    text = (line.encode("ascii") for line in lines(document))
    whole_file.write(path, text, "a schedule", BadSchedule)


def lines(value: object, indent: int = 0, prefix: str = "", suffix: str = "\n") -> Iterator[str]:
    """Yield JSON in lines: what fits into one is one, what does not has a line for each part."""
    text = json.dumps(value)
    margin = " " * indent
    if len(margin) + len(prefix) + len(text) < _LINE or not isinstance(value, dict | list):
        yield f"{margin}{prefix}{text}{suffix}"
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    parts: list[tuple[str, object]]
    if isinstance(value, dict):
        parts = [(f"{json.dumps(key)}: ", part) for key, part in value.items()]
    else:
        parts = [("", part) for part in value]
    yield f"{margin}{prefix}{opening}\n"
    for number, (key, part) in enumerate(parts, 1):
        yield from lines(part, indent + 1, key, ",\n" if number < len(parts) else "\n")
    yield f"{margin}{closing}{suffix}"
