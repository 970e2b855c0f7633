"""Linking objects into a running kernel: their sections get addresses, their symbols are found.

Code and constants go to the kernel's poke_arena, which it cannot write; variables to its
poke_data. What an object lacks is looked for in the other objects first, then in the kernel's
symbol table, static functions and variables included: so a replacement reaches whatever its
function could reach. A call within an object, or to another one, stays there; it does not pass
the kernel's function of the same name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emu.errors import BadImage, BadSource, BadSymbol, PokeError
from emu.image import relocation
from emu.image.elf import ElfImage
from emu.image.elf_file import SHN_ABS, SHN_UNDEF
from emu.image.lines import Lines
from emu.image.object_file import ObjectFile, ObjectSection, ObjectSymbol
from emu.image.placed import Placed
from emu.image.symbols import Kind, Symbol, Symbols
from emu.patch.room import Room

MAX_SIZE: Final = 1 << 18
"""Bytes of an object in memory; each eight are a step of the patcher."""

_BY_ITSELF = ("memcpy", "memmove", "memset", "memcmp")


@dataclass(frozen=True, slots=True)
class _Part:
    """Sections that lie together. start: their address. places: by number of the section."""

    start: int
    size: int
    places: Mapping[int, int]
    sections: tuple[ObjectSection, ...]


def link(
    objects: Sequence[ObjectFile], image: ElfImage, text: Room, data: Room | None
) -> tuple[tuple[Placed, ...], Room, Room | None]:
    """Return the objects at their places, and what is left of the two rooms.

    Raises:
        BadSymbol: a symbol that nobody has.
        BadSource: one that several have, or a relocation that cannot be done.
        PokeError: there is no room.
    """
    parts: list[tuple[_Part, ...]] = []
    for each in objects:
        constant = _part(each, text, writable=False)
        text = text.behind(constant.start + constant.size)
        found = [constant]
        if any(section.writable for section in each.sections):
            if data is None:
                raise PokeError(
                    f"{each.name} has variables of its own, and {image.name} has no poke_data "
                    "to put them in: see kernels/include/poke.h"
                )
            variables = _part(each, data, writable=True)
            data = data.behind(variables.start + variables.size)
            found.append(variables)
        parts.append(tuple(found))
    linked = [_Linked(each, part, image) for each, part in zip(objects, parts, strict=True)]
    shared = _shared(linked)
    return tuple(each.placed(shared) for each in linked), text, data


def _part(each: ObjectFile, room: Room, *, writable: bool) -> _Part:
    """Give addresses to the constant or the writable sections of an object: code comes first."""
    sections = [section for section in each.sections if section.writable == writable]
    room = room.aligned(max((section.align for section in sections), default=1))
    sections.sort(key=lambda section: not section.executable)
    at, places = room.start, {}
    for section in sections:
        at = -(-at // section.align) * section.align
        places[section.number] = at
        at += section.size
    size = at - room.start
    if size > min(room.left, MAX_SIZE):
        what = "variables" if writable else "code and constants"
        raise PokeError(
            f"{each.name} has {size:,} bytes of {what}, {room.name} has {room.left:,} left"
            if size > room.left
            else f"{each.name} has {size:,} bytes of {what}; there can be {MAX_SIZE:,}"
        )
    return _Part(room.start, size, places, tuple(sections))


def _shared(linked: Sequence["_Linked"]) -> dict[str, int]:
    """Return the global symbols of all objects; a weak one gives way, two others are too many."""
    found: dict[str, tuple[_Linked, ObjectSymbol]] = {}
    for each in linked:
        for symbol in each.object.symbols:
            if not symbol.is_global or symbol.section == SHN_UNDEF:
                continue
            other = found.get(symbol.name)
            if other and not symbol.is_weak and not other[1].is_weak:
                raise BadSource(
                    f"{symbol.name} is in {other[0].object.name} and in {each.object.name}: "
                    "make one of them static, or rename it"
                )
            if other is None or other[1].is_weak:
                found[symbol.name] = each, symbol
    return {name: each.address(symbol) for name, (each, symbol) in found.items()}


class _Linked:
    """An object whose sections have addresses."""

    def __init__(self, each: ObjectFile, parts: tuple[_Part, ...], image: ElfImage) -> None:
        self.object, self._parts, self._image = each, parts, image
        self._places = {number: at for part in parts for number, at in part.places.items()}

    def address(self, symbol: ObjectSymbol) -> int:
        """Return the address of a symbol that the object defines; debug sections begin at 0."""
        if symbol.section == SHN_ABS:
            return symbol.value
        return self._places.get(symbol.section, 0) + symbol.value

    def placed(self, shared: Mapping[str, int]) -> Placed:
        """Return the object with all relocations done. shared: global symbols of all objects."""
        symbols = Symbols(self._names(), self.object.name)
        code = []
        for part in self._parts:
            memory = bytearray(part.size)
            for section in part.sections:
                at = part.places[section.number] - part.start
                relocated = self._relocated(section, shared, symbols)
                memory[at : at + len(relocated)] = relocated
            if memory:
                code.append((part.start, bytes(memory)))
        text = self._parts[0]
        return Placed(
            name=self.object.name,
            code=tuple(code),
            text=(text.start, text.start + text.size),
            symbols=symbols,
            sections={each.name: self._debug(each, shared) for each in self.object.debug},
        )

    def _names(self) -> Iterator[Symbol]:
        for each in self.object.symbols:
            if each.section in self._places and each.name and each.size:
                kind: Kind = "func" if each.is_function else "object"
                address = self.address(each)
                yield Symbol(each.name, address, each.size, kind, is_global=each.is_global)

    def _relocated(
        self, section: ObjectSection, shared: Mapping[str, int], symbols: Symbols
    ) -> bytearray:
        memory, start = bytearray(section.data), self._places[section.number]
        for each in section.relocations:
            place = start + each.offset
            try:
                address = self._find(self.object.symbols[each.symbol], shared)
                relocation.apply(memory, each.offset, each.type, address + each.addend, place)
            except (BadImage, BadSymbol) as error:
                where = f"{self._line(place, shared)}: in {symbols.describe(place)}"
                raise type(error)(f"{where}: {error}") from None
        return memory

    def _line(self, place: int, shared: Mapping[str, int]) -> str:
        """Return `fix.c:12` for an address, or the name of the file alone."""
        sections = {each.name: self._debug(each, shared) for each in self.object.debug}
        try:
            return Lines(self.object.name, sections).at(place) or self.object.name
        except BadImage:
            return self.object.name

    def _debug(self, section: ObjectSection, shared: Mapping[str, int]) -> bytes:
        """Return debug information with its addresses; what is wrong with it stays as it is."""
        memory = bytearray(section.data)
        for each in section.relocations:
            symbol = self.object.symbols[each.symbol]
            address = shared.get(symbol.name, 0) if not symbol.section else self.address(symbol)
            try:
                relocation.apply(memory, each.offset, each.type, address + each.addend, each.offset)
            except BadImage:
                continue
        return bytes(memory)

    def _find(self, symbol: ObjectSymbol, shared: Mapping[str, int]) -> int:
        """Return the address of a symbol, wherever it is."""
        name = symbol.name
        if symbol.section != SHN_UNDEF:
            if symbol.section != SHN_ABS and symbol.section not in self._places:
                raise BadImage(f"{name or 'something'} lies in a section that is not placed")
            return shared[name] if symbol.is_weak else self.address(symbol)
        if not name:
            return 0
        found = shared.get(name)
        if found is None:
            found = _of_kernel(self._image, name)
        if found is not None:
            return found
        if symbol.is_weak:
            return 0
        more = ""
        if name in _BY_ITSELF:
            more = ": the compiler calls it by itself, so write one in C beside the replacement"
        unknown = BadSymbol.unknown(
            "symbol", name, (each.name for each in self._image.symbols), self._image.name
        )
        raise BadSymbol(f"{unknown}{more}")


def _of_kernel(image: ElfImage, name: str) -> int | None:
    """Return the address of a symbol of the kernel; BadSymbol if there are several static ones."""
    found = image.symbols.all(name)
    found = tuple(each for each in found if each.is_global) or found
    addresses = sorted({each.address for each in found})
    if len(addresses) > 1:
        told = ", ".join(_told(image, address) for address in addresses)
        raise BadSymbol(f"{image.name} has {len(addresses)} symbols {name!r}, all static: {told}")
    return addresses[0] if addresses else None


def _told(image: ElfImage, address: int) -> str:
    try:
        source = image.lines.at(address)
    except BadImage:
        source = None
    return f"{address:#x} ({source})" if source else f"{address:#x}"
