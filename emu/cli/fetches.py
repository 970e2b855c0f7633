"""replay --fetches A..B: every instruction the cores executed between two points of a run."""

import re

import typer

from emu.cli import console
from emu.image.disasm import decode_one
from emu.image.elf import ElfImage
from emu.machine.fetches import Fetch, Fetches
from emu.moves.schedule import Schedule
from emu.timeline.fetches import fetches

MAX_FETCHES = 1_000_000
"""Most that are printed at once."""

_BITS = (16, 32, 64)  # by the mode of a fetch


def interval(text: str) -> tuple[int, int]:
    """Return the two numbers of A..B."""
    found = re.fullmatch(r"([\d_]{1,24})\.\.([\d_]{1,24})", text, re.ASCII)
    try:
        begin, end = (int(number) for number in found.groups()) if found else (0, -1)
    except ValueError:
        begin, end = 0, -1
    if begin > end:
        raise typer.BadParameter(f"{text[:60]!r} is not an interval: 20000..20100 is")
    if end - begin > MAX_FETCHES:
        raise typer.BadParameter(f"{text} has more than {MAX_FETCHES:,} fetches")
    return begin, end


def show(image: ElfImage, recorded: Schedule, begin: int, end: int, *, as_json: bool) -> None:
    """Print the fetches numbered [begin, end) of a run."""
    found = fetches(image, recorded, begin, end)
    if as_json:
        console.document({"begin": begin, "end": end, "fetches": _document(image, found)})
        return
    known: dict[tuple[int, bytes, int], str] = {}  # the same few instructions, again and again
    for fetch in found:
        key = fetch.address, fetch.code, fetch.mode
        if key not in known:
            where = image.symbols.describe(fetch.address)
            known[key] = f"{where:32}  {fetch.code.hex(' '):29}  {_text(fetch)}"
        console.line(
            f"{fetch.number:>10}  {fetch.core}  {fetch.address:016x}  {known[key]}".rstrip()
        )


def _text(fetch: Fetch) -> str:
    return str(decode_one(fetch.code, fetch.address, _BITS[fetch.mode]))


def _document(image: ElfImage, found: Fetches) -> list[dict[str, object]]:
    return [
        {
            "number": fetch.number,
            "time": fetch.time,
            "core": fetch.core,
            "address": f"{fetch.address:#x}",
            "physical": f"{fetch.physical:#x}",
            "symbol": image.symbols.describe(fetch.address),
            "code": fetch.code.hex(),
            "text": _text(fetch),
        }
        for fetch in found
    ]
