"""What the kernel has loaded: modules, and the code it has generated for itself.

A module's symbols are those it keeps for kallsyms, all of them while CONFIG_KALLSYMS_ALL is set.
Its text is in `core_layout` up to 6.3, in `mem[MOD_TEXT]` since. Lists are walked as they are: what
cannot be read ends them. Sources: include/linux/module.h; kernel/module/kallsyms.c.
"""

import struct
from dataclasses import dataclass
from typing import Final

from emu.errors import TextpokeError
from emu.guest.linux.structure import Structure, Values
from emu.helpers.list import list_for_each_entry
from emu.image.c_types import EnumType
from emu.image.objects import Objects
from emu.image.symbols import Symbols, read_symbols

MAX_MODULES: Final = 1 << 12
MAX_SYMBOLS: Final = 1 << 18
MAX_NAMES: Final = 1 << 24  # bytes
_PAGE: Final = 4096
_MAX_NAME: Final = 512  # KSYM_NAME_LEN
_SYMBOL_SIZE: Final = 24  # Elf64_Sym

_MODULE: Final = {
    "name": ("name",),
    "state": ("state",),
    "base": ("mem[0].base", "core_layout.base"),
    "text_size": ("mem[0].size", "core_layout.text_size"),
    "init_base": ("mem[4].base", "init_layout.base"),
    "init_size": ("mem[4].size", "init_layout.text_size"),
    "kallsyms": ("kallsyms",),
    "orc_ip": ("arch.orc_unwind_ip",),
    "orc": ("arch.orc_unwind",),
    "num_orcs": ("arch.num_orcs",),
}
_KALLSYMS: Final = {
    "symtab": ("symtab",),
    "count": ("num_symtab",),
    "strtab": ("strtab",),
}


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the kernel.

    Attributes:
        name: "lp_cmdline".
        state: "live", "coming", "going", "unformed": MODULE_STATE_ in lower case.
        text: first address of its code, and behind the last.
        init: the same of its code that is only there while it starts; None without it.
        symbols: of its functions and variables, at their addresses.
        orc: addresses of its tables orc_unwind_ip and orc_unwind, and the number of their entries.
        address: of its descriptor.
    """

    name: str
    state: str
    text: tuple[int, int]
    init: tuple[int, int] | None
    symbols: Symbols
    orc: tuple[int, int, int]
    address: int


class Modules:
    """The modules of a kernel. objects: of it."""

    def __init__(self, objects: Objects) -> None:
        self._objects, self._read = objects, objects.read
        types = objects.types
        self._module = Structure(types, "module", _MODULE)
        self._kallsyms = Structure(types, "mod_kallsyms", _KALLSYMS)
        self._states = types.struct("module").member("state").type

    def all(self) -> tuple[Module, ...]:
        """Return the modules, as the kernel has them in its list; none before there is one."""
        found = []
        try:
            for entry in list_for_each_entry(
                "struct module", self._objects.place("modules"), "list"
            ):
                found.append(self._made(int(entry)))
                if len(found) == MAX_MODULES:
                    break
        except (TextpokeError, TypeError):
            pass  # the list cannot be read any further
        return tuple(found)

    def _made(self, address: int) -> Module:
        values = self._module.read(self._read, address)
        return Module(
            name=values.text("name"),
            state=self._state(values.number("state")),
            text=_range(values, "base", "text_size") or (0, 0),
            init=_range(values, "init_base", "init_size"),
            symbols=self._names(values),
            orc=(
                values.number("orc_ip") or 0,
                values.number("orc") or 0,
                values.number("num_orcs") or 0,
            ),
            address=address,
        )

    def _state(self, state: int | None) -> str:
        kind = self._states
        name = kind.name_of(state) if isinstance(kind, EnumType) and state is not None else None
        return str(state) if name is None else name.removeprefix("MODULE_STATE_").lower()

    def _names(self, module: Values) -> Symbols:
        """Return the symbols of a module; none if they cannot be read."""
        name = module.text("name")
        try:
            table = self._kallsyms.read(self._read, module.number("kallsyms") or 0)
            count = min(table.number("count") or 0, MAX_SYMBOLS)
            symbols = self._read(table.number("symtab") or 0, count * _SYMBOL_SIZE)
            strings = self._strings(table.number("strtab") or 0, symbols)
        except TextpokeError:
            return Symbols((), name)
        return Symbols(read_symbols(symbols, strings), name)

    def _strings(self, address: int, symbols: bytes) -> bytes:
        """Return a table of names up to its last one, or as far as it can be read."""
        names = struct.unpack_from(f"<{len(symbols) // 4}I", symbols)[:: _SYMBOL_SIZE // 4]
        last = min(max(names, default=0), MAX_NAMES)
        found = bytearray()
        while len(found) <= last + _MAX_NAME:
            page = _PAGE - (address + len(found)) % _PAGE
            try:
                found += self._read(address + len(found), page)
            except TextpokeError:
                break
        return bytes(found)


def _range(values: Values, base: str, size: str) -> tuple[int, int] | None:
    begin, length = values.number(base), values.number(size)
    return (begin, begin + length) if begin and length else None
