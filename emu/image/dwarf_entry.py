"""Entries of DWARF debug information (DIEs), read through pyelftools with bounds.

`children` only ever moves forward in the file, so it ends for any input: pyelftools' own iteration
follows DW_AT_sibling wherever it points. Sources: DWARF 5, sections 2.3, 5.13 and 7.5.
"""

from collections.abc import Iterator
from typing import Any

from elftools.dwarf.die import DIE

AGGREGATES = {
    "DW_TAG_structure_type": "struct",
    "DW_TAG_class_type": "struct",
    "DW_TAG_union_type": "union",
    "DW_TAG_enumeration_type": "enum",
}
"""The keyword that is part of the name of a type, by tag."""


def children(parent: DIE) -> Iterator[DIE]:
    """Yield the children of an entry, in order, always moving forward in the file."""
    if not parent.has_children:
        return
    unit = parent.cu
    end = unit.cu_offset + unit.size
    at, depth = parent.offset + parent.size, 0
    while at < end:
        die = DIE(unit, parent.stream, at)
        at += die.size
        if die.is_null():
            depth -= 1
            if depth < 0:
                return
            continue
        if depth == 0:
            yield die
        if die.has_children:
            sibling = die.attributes.get("DW_AT_sibling")
            ahead = unit.cu_offset + sibling.value if sibling is not None else 0
            if sibling is not None and sibling.form != "DW_FORM_ref_addr" and at < ahead <= end:
                at = ahead
            else:
                depth += 1


def name(die: DIE) -> str:
    """Return DW_AT_name, or "" for an entry without one."""
    attribute = die.attributes.get("DW_AT_name")
    value = attribute.value if attribute is not None else b""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else ""


def full_name(die: DIE) -> str:
    """Return the name as C writes it: "struct task", "unsigned long"."""
    keyword = AGGREGATES.get(str(die.tag))
    if keyword is None:
        return name(die)
    return f"{keyword} {name(die) or '(anonymous)'}"


def number(die: DIE, attribute: str, default: int = 0) -> int:
    """Return a constant attribute; what is no constant (an expression) counts as malformed."""
    found: Any = die.attributes.get(attribute)
    if found is None:
        return default
    if not isinstance(found.value, int):
        raise TypeError(attribute)
    return int(found.value)


def count(die: DIE) -> int:
    """Return the number of elements of one dimension; 0 for a flexible array."""
    if "DW_AT_count" in die.attributes:
        return number(die, "DW_AT_count")
    bound = die.attributes.get("DW_AT_upper_bound")
    if bound is None or not isinstance(bound.value, int):
        return 0  # flexible, or variable length
    # gcc writes the bound of an array of no elements as -1, or as all ones.
    return int(bound.value) + 1 if bound.value not in (2**32 - 1, 2**64 - 1) else 0
