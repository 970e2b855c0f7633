"""What a function takes and returns, by DWARF: to tell a replacement that is none.

Types are compared as a call sees them: how many parameters, and of each its size and whether it is
a number, a pointer or a structure. Names of types are for people, and for a warning.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from elftools.dwarf.die import DIE

from emu.image import dwarf_entry as entry
from emu.image.dwarf_index import MAX_UNITS, dwarf, malformed_is_bad

_STRIPPED = ("typedef", "const_type", "volatile_type", "restrict_type", "atomic_type")
_MAX_NESTING = 64
_MAX_PARAMETERS = 256


@dataclass(frozen=True, slots=True)
class TypeUse:
    """A type as a call uses it: "long", "struct file *". kind: the tag. size: bytes."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class Prototype:
    """The type of a function."""

    returns: TypeUse
    parameters: tuple[TypeUse, ...]
    variadic: bool

    def __str__(self) -> str:
        parameters = [each.name for each in self.parameters] + ["..."] * self.variadic
        return f"{self.returns.name} ({', '.join(parameters) or 'void'})"

    def passes_as(self, other: "Prototype") -> bool:
        """Return whether both take and return the same, as far as a call sees it."""
        mine, others = (
            [(use.kind, use.size) for use in (each.returns, *each.parameters)]
            for each in (self, other)
        )
        return mine == others and self.variadic == other.variadic


def prototypes(
    where: str, sections: Mapping[str, bytes], names: Iterable[str]
) -> dict[str, Prototype]:
    """Return the prototypes of functions that are defined, those that debug information has.

    Raises:
        BadImage: it is malformed.
    """
    wanted, found = set(names), dict[str, Prototype]()
    if not sections.get(".debug_info"):
        return found
    with malformed_is_bad(where):
        for unit in islice(dwarf(dict(sections)).iter_CUs(), MAX_UNITS):
            for die in entry.children(unit.get_top_DIE()):
                name = entry.name(die) if die.tag == "DW_TAG_subprogram" else ""
                if name in wanted and "DW_AT_declaration" not in die.attributes:
                    found.setdefault(name, _prototype(die))
    return found


def _prototype(die: DIE) -> Prototype:
    children = list(islice(entry.children(die), _MAX_PARAMETERS))
    return Prototype(
        returns=_use(die),
        parameters=tuple(_use(each) for each in children if _is(each, "formal_parameter")),
        variadic=any(_is(each, "unspecified_parameters") for each in children),
    )


def _is(die: DIE, *tags: str) -> bool:
    return str(die.tag).removeprefix("DW_TAG_") in tags


def _use(die: DIE) -> TypeUse:
    """Return the type that an entry has, without the names that typedef gives it."""
    stars, kind, size = "", "", 0
    for _ in range(_MAX_NESTING):
        if "DW_AT_type" not in die.attributes:
            return TypeUse(f"void {stars}".rstrip(), kind or "void", size)
        die = die.get_DIE_from_attribute("DW_AT_type")
        if _is(die, *_STRIPPED):
            continue
        if _is(die, "pointer_type"):
            stars += "*"
            kind, size = kind or "pointer", size or 8
            continue
        tag = str(die.tag).removeprefix("DW_TAG_")
        if tag == "enumeration_type":
            tag = "base_type"  # passed as the integer it is
        name = "function" if tag == "subroutine_type" else entry.full_name(die)
        found = kind or tag, size or entry.number(die, "DW_AT_byte_size")
        return TypeUse(f"{name} {stars}".rstrip(), *found)
    return TypeUse("?", "?", 0)
