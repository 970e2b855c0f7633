"""The names in DWARF debug information: one pass over the top-level entries of each unit."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

from elftools.dwarf.die import DIE
from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

from emu.errors import BadImage, TextpokeError
from emu.image import dwarf_entry as entry

MAX_UNITS = 20_000
"""Compilation units; a Debian vmlinux has about 3,000."""

_NAMED = {"DW_TAG_base_type", "DW_TAG_typedef", "DW_TAG_variable", *entry.AGGREGATES}
_READ = ("info", "abbrev", "str", "line", "line_str", "str_offsets", "addr")
_UNREAD = (
    "debug_aranges_sec",
    "debug_frame_sec",
    "eh_frame_sec",
    "debug_loc_sec",
    "debug_ranges_sec",
    "debug_pubtypes_sec",
    "debug_pubnames_sec",
    "debug_loclists_sec",
    "debug_rnglists_sec",
    "debug_sup_sec",
    "gnu_debugaltlink_sec",
    "debug_types_sec",
)


@contextmanager
def malformed_is_bad(where: str) -> Iterator[None]:
    """Make BadImage of whatever pyelftools raises in the block: it checks little."""
    try:
        yield
    except TextpokeError:
        raise
    except Exception as error:  # noqa: BLE001 -- any exception of a parser means malformed data
        kind = type(error).__name__
        raise BadImage(f"{where}: debug information is malformed ({kind})") from None


class Index:
    """Entries by name.

    Attributes:
        types: definitions by the name C uses ("struct task", "u64"); of several, the first.
        variables: variables outside functions that are defined; of several static ones with the
            same name the first, which need not be the one a symbol table finds.
    """

    def __init__(self, where: str, sections: dict[str, bytes]) -> None:
        """Read all units; BadImage if they are malformed."""
        self.types: dict[str, DIE] = {}
        self.variables: dict[str, DIE] = {}
        with malformed_is_bad(where):
            for number, unit in enumerate(dwarf(sections).iter_CUs()):
                if number >= MAX_UNITS:
                    raise BadImage(f"{where}: debug information has over {MAX_UNITS} units")
                for die in entry.children(unit.get_top_DIE()):
                    if die.tag in _NAMED and "DW_AT_declaration" not in die.attributes:
                        self._add(die)

    def _add(self, die: DIE) -> None:
        name = entry.name(die)
        if not name and "DW_AT_specification" in die.attributes:
            name = entry.name(die.get_DIE_from_attribute("DW_AT_specification"))
        if not name:
            return
        if die.tag == "DW_TAG_variable":
            known = self.variables.get(name)
            if known is None or (_is_external(die) and not _is_external(known)):
                self.variables[name] = die
        else:
            self.types.setdefault(entry.full_name(die), die)


def _is_external(die: DIE) -> bool:
    return "DW_AT_external" in die.attributes or "DW_AT_specification" in die.attributes


def dwarf(sections: dict[str, bytes]) -> DWARFInfo:
    """Return pyelftools' view of the sections this package reads."""
    found = {
        f"debug_{name}_sec": DebugSectionDescriptor(io.BytesIO(data), name, 0, len(data), 0)
        for name in _READ
        if (data := sections.get(f".debug_{name}")) is not None
    }
    absent = dict.fromkeys((*(f"debug_{name}_sec" for name in _READ), *_UNREAD))
    return DWARFInfo(DwarfConfig(True, "x64", 8), **(absent | found))
