"""Types, variables and functions of an image by the names C gives them.

`Types` finds and remembers; a `TypeReader`, of DWARF or of BTF, makes. A name may be one of the
image ("struct task", "u64"), an integer's in any of its spellings ("unsigned long"), or either
behind qualifiers and before stars and dimensions: "const char *", "struct task *[4]".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from emu.errors import BadSymbol
from emu.image.c_types import (
    ArrayType,
    EnumType,
    FloatType,
    FunctionType,
    IntType,
    Member,
    Parameter,
    PointerType,
    StructType,
    Type,
    VoidType,
)
from emu.image.declare import declare

__all__ = [
    "ArrayType",
    "EnumType",
    "FloatType",
    "FunctionType",
    "IntType",
    "Member",
    "Parameter",
    "PointerType",
    "StructType",
    "Type",
    "TypeReader",
    "Types",
    "Variable",
    "VoidType",
]

MAX_STARS = 16
MAX_COUNT = 1 << 32
"""Bounds of a name: pointers and dimensions, elements."""

_NAME = re.compile(r"\s*([A-Za-z_][\w ]*?)\s*((?:\*\s*)*)((?:\[\s*\d+\s*\]\s*)*)")
_QUALIFIERS = {"const", "volatile", "restrict", "_Atomic"}
_INTEGER = {"signed", "unsigned", "char", "short", "int", "long", "__int128"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable with a fixed place; several may have one name.

    Attributes:
        name: as written.
        address: link address; None if the compiler says none.
        file: the source file of the unit, "sched.c"; "" if nobody says.
        function: the function it is static in, "" outside functions.
        is_global: visible to other files.
    """

    name: str
    address: int | None
    file: str
    function: str
    is_global: bool
    find_type: Callable[[], Type] = field(compare=False, repr=False)

    @property
    def type(self) -> Type:
        """Its type; BadImage if that is malformed."""
        return self.find_type()


class TypeReader(Protocol):
    """Makes types by name from one format of debug information."""

    @property
    def pointer_size(self) -> int:
        """Bytes of a pointer."""

    def type_named(self, name: str) -> Type | None:
        """Return the type C calls `name` ("struct task"), or None."""

    def variables(self, name: str) -> tuple[Variable, ...]:
        """Return the variables called `name`, the best one first."""

    def function(self, name: str) -> FunctionType | None:
        """Return the type of the function `name`, or None."""

    def enumerator(self, name: str) -> EnumType | None:
        """Return the enumeration that has a value called `name`, or None."""

    def variable_at(self, address: int) -> Variable | None:
        """Return the variable that begins at a link address, or None."""

    def type_names(self) -> Iterable[str]:
        """Return the names of all types."""

    def variable_names(self) -> Iterable[str]:
        """Return the names of all variables."""

    def function_names(self) -> Iterable[str]:
        """Return the names of all functions."""


class Types:
    """The types of an image: `types["struct task"]`, `types.variable("tasks")`.

    Args:
        reader: makes them.
        declared: types of variables that the reader does not know, as C writes them, by name.
    """

    def __init__(self, reader: TypeReader, declared: Mapping[str, str] | None = None) -> None:
        self._reader = reader
        self._declared = declared or {}
        self._types: dict[str, Type | None] = {}
        self._integers: dict[str, str] | None = None

    def __repr__(self) -> str:
        return f"<types of an image: {len(self.names())}>"

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def __getitem__(self, name: str) -> Type:
        """Return the type C calls `name`; else BadSymbol. BadImage if it is malformed."""
        found = self._find(name)
        if found is None:
            tagged = [f"{tag} {name}" for tag in ("struct", "union", "enum")]
            near = next(filter(self._find, tagged), None)
            if near is not None:
                raise BadSymbol(f"no type {name!r}: did you mean {near}?")
            raise BadSymbol.unknown("type", name, self.names())
        return found

    def names(self) -> tuple[str, ...]:
        """Return the names of all types of the image, sorted: "struct task", "u64"."""
        return tuple(sorted(self._reader.type_names()))

    def variable_names(self) -> tuple[str, ...]:
        """Return the names of all variables, sorted; also of those that are only declared."""
        declared = (name for name, kind in self._declared.items() if kind in self)
        return tuple(sorted({*self._reader.variable_names(), *declared}))

    def function_names(self) -> tuple[str, ...]:
        """Return the names of all functions, sorted."""
        return tuple(sorted(self._reader.function_names()))

    def struct(self, name: str) -> StructType:
        """Return the struct or union `name`, with or without the keyword.

        Raises:
            BadSymbol: there is none.
            BadImage: it is malformed.
        """
        for full in (name, f"struct {name}", f"union {name}"):
            kind = self._find(full)
            if isinstance(kind, StructType):
                return kind
        raise BadSymbol.unknown("struct", name, self._reader.type_names())

    def variable(self, name: str) -> Type:
        """Return the type of the variable `name`, the best of several; else BadSymbol."""
        found = self.variables(name)
        if not found:
            raise BadSymbol.unknown("variable", name, self.variable_names())
        return found[0].type

    def variables(self, name: str) -> tuple[Variable, ...]:
        """Return every variable called `name`: static ones of several files may be."""
        found, kind = self._reader.variables(name), self._declared.get(name)
        if found or kind is None or kind not in self:
            return found
        return (Variable(name, None, "", "", True, partial(self.__getitem__, kind)),)

    def variable_at(self, address: int) -> Variable | None:
        """Return the variable that begins at a link address, or None."""
        return self._reader.variable_at(address)

    def function(self, name: str) -> FunctionType:
        """Return the type of the function `name`; else BadSymbol."""
        found = self._reader.function(name)
        if found is None:
            raise BadSymbol.unknown("function", name, self._reader.function_names())
        return found

    def enumerator(self, name: str) -> tuple[EnumType, int] | None:
        """Return the enumeration that has a value called `name`, and that value, or None."""
        found = self._reader.enumerator(name)
        values = {each: value for value, each in found.names} if found else {}
        return (found, values[name]) if found and name in values else None

    def pointer_to(self, target: Type) -> PointerType:
        """Return the type of a pointer to `target`."""
        name = declare(target, "*", plain=True)
        return PointerType(name, self._reader.pointer_size, lambda: target)

    def _find(self, name: str) -> Type | None:
        if name not in self._types:
            self._types[name] = self._made(name)
        return self._types[name]

    def _made(self, name: str) -> Type | None:
        found = self._reader.type_named(name)
        parts = _NAME.fullmatch(name)
        if found is not None or parts is None:
            return found
        words, stars, dimensions = parts.groups()
        plain = " ".join(word for word in words.split() if word not in _QUALIFIERS)
        kind = VoidType("void", 0) if plain == "void" else self._reader.type_named(plain)
        kind = kind or self._reader.type_named(self._integer(plain))
        counts = [int(count) for count in re.findall(r"\d+", dimensions)]
        depth = stars.count("*")
        if kind is None or depth + len(counts) > MAX_STARS or max(counts, default=0) > MAX_COUNT:
            return None
        for _ in range(depth):
            kind = self.pointer_to(kind)
        for count in reversed(counts):
            kind = array_of(kind, count)
        return kind

    def _integer(self, name: str) -> str:
        """Return how the image calls an integer type that C gives several names."""
        if self._integers is None:
            self._integers = {_canonical(known): known for known in self._reader.type_names()}
        return self._integers.get(_canonical(name), name)


def array_of(element: Type, count: int | None) -> ArrayType:
    """Return the type of an array of `count` elements."""
    suffix = f"[{'' if count is None else count}]"
    name = declare(element, suffix, plain=True)
    return ArrayType(name, element.size * (count or 0), element, count)


def _canonical(name: str) -> str:
    """Return one name for all of an integer type: "unsigned long int" is "long unsigned"."""
    words = name.split()
    if not words or not set(words) <= _INTEGER:
        return name
    if {"short", "long", "unsigned"} & set(words) or words == ["signed"]:
        words = [word for word in words if word != "int"]
    if "char" not in words:
        words = [word for word in words if word != "signed"]
    return " ".join(sorted(words or ["int"]))
