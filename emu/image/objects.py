"""Kernel objects: memory with a type, read when asked, in drgn's manner.

`objects["bp_desc"].refs` is a number, `objects["tp_vec"][3].rel_addr` too: an int that knows its
type (`Number`). Structures, arrays, pointers and floats are `Object`s. Names of members are
attributes, so every name of our own ends with an underscore. Nothing is cached and nothing is
written: `store_` returns what to store, because every store into a running kernel is a step of the
patcher. A read is at most `object.MAX_READ` bytes.
"""

from collections.abc import Iterator
from typing import NoReturn, Protocol

from emu.errors import BadSymbol
from emu.image.c_types import EnumType, IntType, PointerType, StructType, Type
from emu.image.number import Number, converted
from emu.image.object import Object, Value
from emu.image.symbols import Symbols
from emu.image.types import Types

__all__ = ["Number", "Object", "Objects", "Reader", "Value"]


class Reader(Protocol):
    """Reads guest memory."""

    def __call__(self, address: int, size: int) -> bytes:
        """Return `size` bytes at virtual `address`."""


class Objects:
    """The objects of a kernel: `objects["name"]` is the variable or function `name`.

    Attributes:
        symbols: where variables are.
        types: what they are.
        read: how memory is read.
    """

    def __init__(self, symbols: Symbols, types: Types, read: Reader) -> None:
        self.symbols = symbols
        self.types = types
        self.read = read

    def __repr__(self) -> str:
        return f"<objects of a kernel: {len(self.types.variable_names())} variables>"

    def __contains__(self, name: object) -> bool:
        """Return whether `[name]` finds something: a variable, a function, an enumerator."""
        if not isinstance(name, str):
            return False
        try:
            return self.types.enumerator(name) is not None or self.place(name) is not None
        except BadSymbol:
            return False

    def __iter__(self) -> Iterator[str]:
        """Yield the names of variables, then of functions: what `[name]` may be given."""
        variables = dict.fromkeys(self.types.variable_names())
        yield from (name for name in variables if name in self)
        for name in self.types.function_names():
            symbol = self.symbols.get(name)  # no type is made: a kernel has 40,000 functions
            if symbol is not None and symbol.kind == "func" and name not in variables:
                yield name

    def _ipython_key_completions_(self) -> list[str]:
        """Return what IPython completes `objects["` with."""
        return list(self)

    def __getitem__(self, name: str) -> Value:
        """Return the variable `name`, a Number or an Object, the function, or the enumerator.

        Of several static variables the one that the symbol table means; `variable` has the others.

        Raises:
            BadSymbol: no such variable, or nothing says its type, or each core has its own.
        """
        if name not in self.symbols and (constant := self.types.enumerator(name)):
            return Number(constant[1], constant[0], self)
        place = self.place(name)
        symbol = self.symbols.get(name)
        if symbol is not None and symbol.kind == "percpu":
            raise BadSymbol(f"each core has its own {name!r}: per_cpu(objects.place({name!r}), 0)")
        return place.resolve_()

    def place(self, name: str) -> Object:
        """Return a variable as the place it has: it is not read, though it be a number.

        A per-CPU variable of Linux may not be mapped where its symbol is. Raises as `[name]`, but
        not for these.
        """
        symbol = self.symbols.get(name)
        if symbol is not None and symbol.kind == "func":
            return Object(self.types.function(name), symbol.address, self)
        known = self.types.variables(name)
        if symbol is None:
            address = known[0].address if known else None
            if address is None:
                self._unknown(name)
            return self.at(known[0].type, address)
        same = [each for each in known if each.address == symbol.address]
        found = same[0] if same else self.types.variable_at(symbol.address)
        if found is None and not known:
            if symbol.kind == "absolute":
                raise BadSymbol(f"{name!r} is a constant, {symbol.address:#x}, and no variable")
            raise BadSymbol(
                f"nothing says the type of {name!r} ({symbol.kind} at {symbol.address:#x}): "
                "at(TYPE, ADDRESS) reads it as any type"
            )
        kind = found.type if found is not None else known[0].type
        return Object(kind, symbol.address, self)

    def variable(self, name: str, where: str) -> Value:
        """Return a static variable by the file or the function it is in.

        Args:
            name: of the variable.
            where: "sched.c", or the name of a function.

        Raises:
            BadSymbol: there is none.
        """
        known = self.types.variables(name)
        if not known:
            raise BadSymbol.unknown("variable", name, self.types.variable_names())
        for found in known:
            if where in (found.file, found.function) and found.address is not None:
                return self.at(found.type, found.address).resolve_()
        places = [place for each in known for place in (each.file, each.function) if place]
        raise BadSymbol.unknown(f"variable {name!r} in", where, places)

    def at(self, type_: str | Type, address: int) -> "Object":
        """Return the object of `type_` at `address`: `objects.at("struct task", 0xffff...)`."""
        return Object(self.type(type_), address, self)

    def address(self, name: str) -> int:
        """Return the address of the variable `name`; else BadSymbol."""
        return self.symbols[name].address

    def pointer(self, target: str | Type, address: int) -> "Object":
        """Return a pointer to what is at `address`: a value that lies nowhere itself."""
        return Object.pointer_(self.types.pointer_to(self.type(target)), address, self)

    def cast(self, type_: str | Type, value: int) -> Value:
        """Return an integer converted to an integer type, enumeration or pointer."""
        kind = self.type(type_)
        if isinstance(kind, IntType | EnumType):
            return Number(converted(kind, value), kind, self)
        if isinstance(kind, PointerType):
            return Object.pointer_(kind, value, self)
        raise TypeError(f"an integer cannot become {kind.name}")

    def container_of(self, address: int, type_: str | Type, member: str) -> "Object":
        """Return the structure whose `member` is at `address`."""
        kind = self.type(type_)
        if not isinstance(kind, StructType):
            raise TypeError(f"{kind.name} has no members")
        return Object(kind, address - kind.member(member).offset, self)

    def type(self, type_: str | Type) -> Type:
        """Return the type C calls `type_`, or the type that is given; else BadSymbol."""
        return self.types[type_] if isinstance(type_, str) else type_

    def _unknown(self, name: str) -> NoReturn:
        if name in self.types.function_names():
            raise BadSymbol(f"the function {name!r} has no place: it was inlined everywhere")
        raise BadSymbol.unknown("symbol", name, (symbol.name for symbol in self.symbols))
