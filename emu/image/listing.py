"""Code as text: instructions with names instead of addresses, between the lines they came from.

Works on the bytes of the image, and on any others that a reader gives for its addresses: live
memory, or what a core would fetch. Targets of calls and jumps, rip-relative operands and absolute
addresses that fit into 32 bits are named where the image has something with a name there.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from emu.errors import BadImage, BadSymbol, Unsupported
from emu.image.disasm import MAX_CODE, Instruction, disassemble
from emu.image.elf import ElfImage
from emu.image.lines import Place
from emu.image.source import Sources
from emu.image.symbols import NOWHERE

_HEX = re.compile(r"0x[0-9a-fA-F]{1,16}")
_OPERAND = re.compile(r"(rip )?([+-] |-)?\b(0x[0-9a-f]+|\d+)\b")
_TAKES_ADDRESS = ("mov", "movabs", "push", "cmp", "call", "lea", "add", "sub")
_WORD = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Row:
    """An instruction in a listing.

    Attributes:
        instruction: address, bytes, mnemonic, operands as numbers.
        operands: the operands, with names.
        symbol: the symbol that begins here, or None.
        place: the source line, where it is another than the row's before; else None.
        source: the text of that line, or None.
        site: whether a site is here.
    """

    instruction: Instruction
    operands: str
    symbol: str | None
    place: Place | None
    source: str | None
    site: bool


def extent(image: ElfImage, what: str) -> tuple[int, int]:
    """Return (start, end) of the code that a person names.

    Args:
        image: whose code it is.
        what: a function, `0xADDRESS` or `vfs.c:120` for the function that is there, or
            `0xADDRESS..0xADDRESS`, the end exclusive.

    Raises:
        BadSymbol: there is no such code.
        Unsupported: it is over MAX_CODE bytes.
    """
    first, dots, last = what.partition("..")
    if dots:
        start, end = _address(first), _address(last)
        if start is None or end is None or not start < end:
            raise BadSymbol(f"{what!r} is no range: 0xADDRESS..0xADDRESS is, its end exclusive")
    elif (address := _address(what)) is not None:
        start, end = _around(image, address)
    elif ":" in what:
        start, end = _around(image, image.lines.addresses(what)[0])
    else:
        start, end = _named(image, what)
    if end - start > MAX_CODE:
        raise Unsupported(f"{what} has {end - start} bytes: at most {MAX_CODE} are listed at once")
    return start, end


def listing(
    image: ElfImage,
    start: int,
    end: int,
    read: Callable[[int, int], bytes] | None = None,
    sources: Sources | None = None,
) -> Iterator[Row]:
    """Yield the instructions from `start` up to `end`.

    Args:
        image: what names addresses.
        start: link address of the first byte.
        end: behind the last.
        read: where bytes come from; by default the image.
        sources: where the text of lines comes from; by default nowhere.

    Raises:
        BadImage: there are no such bytes, or the debug information is malformed.
        TextpokeError: what `read` raises.
    """
    code = (read or image.read_virtual)(start, end - start)
    sites = frozenset(image.sites.all)
    names = {s.address: s.name for s in reversed(tuple(image.symbols)) if s.kind not in NOWHERE}
    before: Place | None = None
    for instruction in disassemble(code, start):
        address = instruction.address
        place = image.lines.place(address)
        changed = place if place is not None and place != before else None
        before = place
        text = sources.line(*changed) if sources is not None and changed is not None else None
        yield Row(
            instruction,
            operands(image, instruction),
            names.get(address),
            changed,
            text,
            address in sites,
        )


def operands(image: ElfImage, instruction: Instruction) -> str:
    """Return the operands of an instruction with names where an address of the image stands."""

    def named(found: re.Match[str]) -> str:
        rip, sign, digits = found.groups()
        value = int(digits, 0)
        if sign and sign[0] == "-":
            value = -value
        behind = instruction.address + len(instruction.bytes)
        inside = instruction.op_str.rfind("[", 0, found.start()) > instruction.op_str.rfind(
            "]", 0, found.start()
        )
        if not (rip or inside or takes_address):
            return found[0]
        name = _name(image, (value + (behind if rip else 0)) & _WORD)
        if name is None:
            return found[0]
        return name if rip or not sign or sign == "-" else f"+ {name}"

    takes_address = instruction.mnemonic in _TAKES_ADDRESS or _branches(instruction.mnemonic)
    return _OPERAND.sub(named, instruction.op_str)


def _name(image: ElfImage, address: int) -> str | None:
    """Return the name of an address in the image; small numbers are no addresses."""
    if address < 0x1000 or image.segment_at(address) is None:
        return None
    return image.symbols.near(address)


def _branches(mnemonic: str) -> bool:
    return mnemonic.startswith(("j", "loop", "call", "xbegin"))


def _address(text: str) -> int | None:
    return int(text, 16) if _HEX.fullmatch(text.strip()) else None


def _named(image: ElfImage, name: str) -> tuple[int, int]:
    """Return the extent of a function, or of code behind a label of assembly; else BadSymbol."""
    symbol = image.symbols.get(name)
    if symbol is not None and not image.is_executable(symbol.address):
        raise BadSymbol(f"{name!r} is no code of {image.name}: textpoke types shows variables")
    if symbol is None or symbol.kind != "label":
        symbol = image.symbols.function(name)
    start = symbol.address
    return start, start + symbol.size if symbol.size else _next(image, start)


def _around(image: ElfImage, address: int) -> tuple[int, int]:
    """Return the extent of the function that an address is in."""
    found = image.symbols.at(address)
    if found is None or not image.is_executable(address):
        raise BadSymbol(f"no function of {image.name} is at {address:#x}: give a range, 0xA..0xB")
    symbol = found[0]
    return symbol.address, symbol.address + (symbol.size or _next(image, address) - symbol.address)


def _next(image: ElfImage, address: int) -> int:
    """Return where the symbol behind an address begins, or its segment ends."""
    segment = image.segment_at(address)
    if segment is None:
        raise BadImage(f"{image.name}: has no code at {address:#x}")
    starts = sorted(s.address for s in image.symbols if s.kind not in NOWHERE)
    index = bisect_right(starts, address)
    return min(starts[index] if index < len(starts) else segment[1], segment[1])
