"""What a function takes and returns, by DWARF: to tell a replacement that is none.

Types are compared as a call sees them: how many parameters, and of each its size and whether it is
a number, a pointer or a structure. Names of types are for people, and for a warning.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from emu.image.c_types import (
    EnumType,
    FloatType,
    FunctionType,
    IntType,
    PointerType,
    StructType,
    Type,
)
from emu.image.dwarf import DwarfReader

_KINDS: tuple[tuple[type[Type], str], ...] = (
    (IntType, "number"),
    (EnumType, "number"),  # passed as the integer it is
    (FloatType, "float"),
    (PointerType, "pointer"),
    (StructType, "structure"),
)


@dataclass(frozen=True, slots=True)
class TypeUse:
    """A type as a call uses it: "long int", "struct file *". kind: of value. size: bytes."""

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
    if not sections.get(".debug_info"):
        return {}
    reader = DwarfReader(where, dict(sections))
    functions = {name: reader.function(name) for name in names}
    return {name: _prototype(kind) for name, kind in functions.items() if kind is not None}


def _prototype(function: FunctionType) -> Prototype:
    parameters = tuple(_use(each.type) for each in function.parameters)
    return Prototype(_use(function.result), parameters, function.variadic)


def _use(type_: Type) -> TypeUse:
    kind = next((kind for cls, kind in _KINDS if isinstance(type_, cls)), "void")
    return TypeUse(type_.name, kind, type_.size)
