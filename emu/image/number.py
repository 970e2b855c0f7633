"""Numbers of a kernel: integers of Python that know their C type and where they were read."""

from typing import TYPE_CHECKING, Self, Union

from emu.errors import TextpokeError
from emu.image.c_types import EnumType, IntType, Type
from emu.image.values import number

if TYPE_CHECKING:
    from emu.image.objects import Object, Objects


class Number(int):
    """An integer, boolean or enumeration of a kernel, read when it was asked for.

    It is an int: it computes, compares and prints as one, and does not change any more. As in
    drgn, what is ours ends with an underscore.

    Attributes:
        type_: its C type.
        prog_: the objects it belongs to.
    """

    type_: IntType | EnumType
    prog_: "Objects"
    _address: int | None

    def __new__(
        cls, value: int, type_: IntType | EnumType, prog: "Objects", address: int | None = None
    ) -> Self:
        """Make one; address: where it was read, None if it was computed or is a bitfield."""
        made = super().__new__(cls, value)
        made.type_, made.prog_, made._address = type_, prog, address
        return made

    def __repr__(self) -> str:
        """Return the number, or `(enum task_state)TASK_RUNNING` for an enumeration's value."""
        return self.format_() if self.name_() else int.__repr__(self)

    def __str__(self) -> str:
        return int.__repr__(self)

    @property
    def address_(self) -> int:
        """The address it was read from; TextpokeError if it has none."""
        if self._address is None:
            raise TextpokeError(f"{self.format_()} is a value or a bitfield: it has no address")
        return self._address

    def value_(self) -> int | bool:
        """Return it as a plain int, or bool."""
        is_bool = isinstance(self.type_, IntType) and self.type_.is_bool
        return bool(self) if is_bool else int(self)

    def address_of_(self) -> "Object":
        """Return a pointer to it; TextpokeError if it has no address."""
        return self.prog_.pointer(self.type_, self.address_)

    def cast_(self, type_: str | Type) -> Union["Number", "Object"]:
        """Return it converted to another type, as C does; TypeError where C cannot."""
        return self.prog_.cast(type_, int(self))

    def reinterpret_(self, type_: str | Type) -> Union["Number", "Object"]:
        """Return what is at its address as another type; TextpokeError if it has no address."""
        return self.prog_.at(type_, self.address_).resolve_()

    def container_of_(self, type_: str | Type, member: str) -> "Object":
        """Return the `type_` whose `member` it is; TextpokeError if it has no address."""
        return self.prog_.container_of(self.address_, type_, member)

    def bytes_(self) -> bytes:
        """Return the bytes of its value, as its type has them."""
        return (int(self) & (1 << 8 * self.type_.size) - 1).to_bytes(self.type_.size, "little")

    def name_(self) -> str | None:
        """Return the name of an enumeration's value; None if it has none, or is no enumeration."""
        return self.type_.name_of(int(self)) if isinstance(self.type_, EnumType) else None

    def format_(self) -> str:
        """Return it as C writes it: `(int)3`, `(enum task_state)TASK_RUNNING`."""
        return f"({self.type_.called}){self.name_() or int.__repr__(self)}"


def converted(type_: IntType | EnumType, value: int) -> int:
    """Return an integer converted to a type: cut to its width, or 0 and 1 for _Bool."""
    if isinstance(type_, IntType) and type_.is_bool:
        return int(bool(value))
    mask = (1 << 8 * type_.size) - 1
    return number(type_, (value & mask).to_bytes(type_.size, "little"))
