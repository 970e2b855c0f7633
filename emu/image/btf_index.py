"""The names in a .BTF section, each kind of them gathered when it is first asked for.

Of several types with one name the first is meant. A module's index has the kernel's names, too,
behind its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from emu.image import btf_section as btf
from emu.image.btf_section import BtfSection
from emu.image.cursor import malformed_is_bad

_TAGS = {
    btf.KIND_INT: "", btf.KIND_FLOAT: "", btf.KIND_TYPEDEF: "", btf.KIND_STRUCT: "struct ",
    btf.KIND_UNION: "union ", btf.KIND_ENUM: "enum ", btf.KIND_ENUM64: "enum ",
}  # fmt: skip
_ENUMS = (btf.KIND_ENUM, btf.KIND_ENUM64)


class BtfIndex:
    """Numbers of records by name.

    Args:
        where: name of the image or module, for messages.
        section: what is indexed.
        base: the kernel's, for the section of a module.

    Raises:
        BadImage: on access, if a name is malformed.
    """

    def __init__(self, where: str, section: BtfSection, base: "BtfIndex | None") -> None:
        self._where = where
        self._section = section
        self._base = base

    @cached_property
    def types(self) -> dict[str, int]:
        """Types by the names that C uses: "struct task_struct", "u64"."""
        found = dict(self._base.types) if self._base else {}
        with self._checked():
            for kind, tag in _TAGS.items():
                own = reversed(self._section.named(kind))
                found.update((tag + name, number) for name, number in own)
        return found

    @cached_property
    def functions(self) -> dict[str, int]:
        """Functions."""
        found = dict(self._base.functions) if self._base else {}
        with self._checked():
            found.update(reversed(self._section.named(btf.KIND_FUNC)))
        return found

    @cached_property
    def variables(self) -> dict[str, tuple[int, ...]]:
        """Variables; those of the module first."""
        found = dict(self._base.variables) if self._base else {}
        with self._checked():
            for name, number in reversed(self._section.named(btf.KIND_VAR)):
                found[name] = (number, *found.get(name, ()))
        return found

    @cached_property
    def enumerators(self) -> dict[str, int]:
        """Enumerations by the names of their values."""
        found = dict(self._base.enumerators) if self._base else {}
        with self._checked():
            for kind in _ENUMS:
                for number in reversed(self._section.of_kind(kind)):
                    parts = self._section.record(number).parts()
                    found.update((self._section.string(part[0]), number) for part in parts)
        return found

    @cached_property
    def tells_signs(self) -> bool:
        """Whether enumerations say if they have a sign, as since Linux 6.0; before, all had."""
        if self._base is not None and self._base.tells_signs:
            return True
        enums = map(self._section.record, self._section.of_kind(btf.KIND_ENUM))
        with self._checked():
            return bool(self._section.of_kind(btf.KIND_ENUM64)) or any(each.flag for each in enums)

    @contextmanager
    def _checked(self) -> Iterator[None]:
        with malformed_is_bad(self._where, "BTF"):
            yield
