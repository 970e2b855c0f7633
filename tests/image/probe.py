"""A C file that asks the compiler about types: offsets, sizes, and members with known values.

The compiler's answers are in the file's data; nothing has to be executed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emu.image.elf import ElfImage
from emu.image.object import Object
from emu.image.objects import Objects
from emu.image.types import (
    ArrayType,
    EnumType,
    FloatType,
    IntType,
    Member,
    PointerType,
    StructType,
    Type,
    Types,
)
from tests.image.compiled import compiled

_FILL = 0x9E3779B97F4A7C15F39CC0605CEDC834  # digits of the golden ratio: every byte differs


@dataclass(frozen=True)
class Leaf:
    """A member that holds one value."""

    path: str
    member: Member


def leaves(type_: StructType, prefix: str = "", depth: int = 0) -> Iterator[Leaf]:
    """Yield what can be initialised: first and last elements of arrays, members of members."""
    for name in type_.names():
        yield from _leaves(type_.member(name), f"{prefix}{name}", depth)


def _leaves(member: Member, path: str, depth: int) -> Iterator[Leaf]:
    kind = member.type
    if isinstance(kind, StructType) and depth < 3:
        yield from leaves(kind, f"{path}.", depth + 1)
    elif isinstance(kind, ArrayType) and not kind.is_vector:
        for index in sorted({0, (kind.count or 0) - 1} & set(range(kind.count or 0))):
            element = Member("", 0, kind.element.size, kind.element)
            yield from _leaves(element, f"{path}[{index}]", depth)
    elif isinstance(kind, IntType | EnumType | PointerType | FloatType | ArrayType):
        yield Leaf(path, member)


def wanted(leaf: Leaf, number: int) -> object:
    """Return the value to give a leaf: different for each, as wide as it is."""
    kind, bits = leaf.member.type, leaf.member.bit_size or 8 * leaf.member.type.size
    if isinstance(kind, FloatType):
        return complex(number + 0.5, -number) if kind.parts == 2 else -(number + 0.25)
    if isinstance(kind, ArrayType):
        return [number + index for index in range(kind.count or 0)]
    if isinstance(kind, IntType) and kind.is_bool:
        return 1
    value = (_FILL * (2 * number + 1)) & ((1 << bits) - 1)
    signed = isinstance(kind, IntType | EnumType) and kind.signed
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def literal(leaf: Leaf, value: object) -> str:
    """Return a value as C writes it in an initialiser."""
    if isinstance(value, complex):
        return f"{value.real} + {value.imag} * 1.0i"
    if isinstance(value, list):
        return "{" + ", ".join(map(str, value)) + "}"
    if isinstance(value, float):
        return repr(value)
    assert isinstance(value, int)
    word = value & ((1 << 128) - 1)
    whole = f"(((unsigned __int128){word >> 64:#x}ULL << 64) | {word & (1 << 64) - 1:#x}ULL)"
    if isinstance(leaf.member.type, PointerType):
        return f"(void *)(unsigned long){whole}"
    return f"(__int128){whole}"


def check(folder: Path, source: str, types: Types, names: Iterable[str], *flags: str) -> int:
    """Compare types with what the compiler says of them in `source`; returns how many members."""
    structs = [types.struct(name) for name in names]
    text = [source]
    sizes: list[tuple[str, int]] = []
    values: list[tuple[StructType, Leaf, object]] = []
    for struct in structs:
        sizes.append((f"sizeof({struct.name})", struct.size))
        for name in struct.names():
            member = struct.member(name)
            if member.bit_size is None:
                sizes.append((f"__builtin_offsetof({struct.name}, {name})", member.offset))
            if member.bit_size is None and not _is_flexible(member.type):
                sizes.append((f"sizeof((({struct.name} *)0)->{name})", member.size))
        for leaf in leaves(struct):
            value = wanted(leaf, len(values))
            values.append((struct, leaf, value))
            text.append(
                f"{struct.name} probe_{len(values)} = {{ .{leaf.path} = {literal(leaf, value)} }};"
            )
    text.append("const unsigned long probe_sizes[] = {" + ", ".join(s for s, _ in sizes) + "};")
    image = compiled(folder, "\n".join(text), *flags)
    at = image.symbols["probe_sizes"].address
    for index, (what, ours) in enumerate(sizes):
        theirs = int.from_bytes(image.read_virtual(at + 8 * index, 8), "little")
        assert ours == theirs, what
    objects = Objects(image.symbols, types, image.read_virtual)
    for index, (struct, leaf, value) in enumerate(values):
        found = objects.at(struct, image.symbols[f"probe_{index + 1}"].address).member_(leaf.path)
        read = found.value_() if isinstance(found, Object) else int(found)
        assert read == value, f"{struct.name}.{leaf.path}"
    return len(values)


def _is_flexible(type_: Type) -> bool:
    return isinstance(type_, ArrayType) and type_.count is None


def read_everything(image: ElfImage, objects: Objects, lowest: int = 0) -> int:
    """Read and format every variable at `lowest` or above; returns how many."""
    count = 0
    for name in image.types.variable_names():
        for variable in image.types.variables(name):
            if variable.address is not None and variable.address >= lowest:
                found = objects.at(variable.type, variable.address).resolve_()
                assert found.format_()
                assert repr(found)
                count += 1
    return count
