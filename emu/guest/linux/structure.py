"""A structure of the kernel read at once, member by member: its members are probed, not assumed.

A list of tasks is asked for again and again, and `Object` reads for each member anew.
"""

from collections.abc import Mapping, Sequence

from emu.errors import BadSymbol
from emu.image.c_types import ArrayType, EnumType, IntType, Member, PointerType
from emu.image.objects import Reader
from emu.image.types import Types
from emu.image.values import bits, number, text


class Structure:
    """Some members of a structure.

    Args:
        types: of the kernel.
        name: "task_struct".
        wanted: by what it is called here, the paths it may have, the newest first.

    Raises:
        BadSymbol: the kernel has no such structure.
    """

    def __init__(self, types: Types, name: str, wanted: Mapping[str, Sequence[str]]) -> None:
        kind = types.struct(name)
        found = {}
        for each, paths in wanted.items():
            for path in paths:
                try:
                    found[each] = kind.member(path)
                    break
                except BadSymbol:
                    continue
        self._members: dict[str, Member] = found
        self.size = max((member.offset + member.size for member in found.values()), default=0)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def offset(self, name: str) -> int | None:
        """Return where a member is, None if there is none."""
        member = self._members.get(name)
        return None if member is None else member.offset

    def target_size(self, name: str) -> int:
        """Return the bytes of what a member points to; 0 if it is no pointer."""
        member = self._members.get(name)
        kind = None if member is None else member.type
        return kind.target.size if isinstance(kind, PointerType) else 0

    def read(self, read: Reader, address: int) -> "Values":
        """Return the members at an address. Raises TextpokeError."""
        return Values(self._members, read(address, self.size))


class Values:
    """The members of one structure, as they were."""

    def __init__(self, members: Mapping[str, Member], data: bytes) -> None:
        self._members, self._data = members, data

    def number(self, name: str) -> int | None:
        """Return a number or pointer; None if there is no such member."""
        member = self._members.get(name)
        if member is None:
            return None
        part = self._data[member.offset : member.offset + member.size]
        if member.bit_size is not None:
            return bits(member, part)
        if isinstance(member.type, IntType | EnumType | PointerType):
            return number(member.type, part)
        return int.from_bytes(part[:8], "little")  # a list_head: its first pointer

    def text(self, name: str) -> str:
        """Return an array of characters up to its NUL; "" if there is no such member."""
        member = self._members.get(name)
        if member is None or not isinstance(member.type, ArrayType):
            return ""
        return text(self._data[member.offset : member.offset + member.size])
