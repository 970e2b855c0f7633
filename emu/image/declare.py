"""Types as C writes them: declarations, and definitions with offsets and sizes.

A definition is laid out as pahole does: behind each member its offset (and lowest bit) and its
size, and where the compiler left a gap a comment says so. Length and nesting are bounded.
"""

from emu.image.c_types import (
    ArrayType,
    EnumType,
    FunctionType,
    Member,
    PointerType,
    StructType,
    Type,
)

MAX_PARTS = 256
"""Stars, dimensions and parameters of a declaration; what is more is `...`."""

MAX_DECLARATION = 4096
"""Characters of a declaration; the rest is `...`."""

_COLUMN = 48
_TAB = "\t"


def declare(type_: Type, name: str = "", *, plain: bool = False) -> str:
    """Return the declaration of `name` with this type: "char comm[16]"; without, the type's name.

    plain: without typedefs and qualifiers.
    """
    text = _Declarator(plain=plain).declare(type_, name)
    return text if len(text) <= MAX_DECLARATION else text[: MAX_DECLARATION - 3] + "..."


def definition(type_: Type) -> str:
    """Return the definition of a struct, union, enum or typedef; any other type's declaration."""
    spelled = type_.spelled
    if spelled is None:
        if isinstance(type_, StructType | EnumType):
            return _body(type_, 0, 0) + ";"
        return declare(type_)
    if spelled.keyword != "typedef":
        return declare(type_)
    if spelled.of.spelled is None and _is_anonymous(spelled.of):
        return f"typedef {_body(spelled.of, 0, 0)} {spelled.name};"
    return f"typedef {declare(spelled.of, spelled.name)};"


class _Declarator:
    """Writes one declaration, of at most MAX_PARTS parts."""

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain
        self._left = MAX_PARTS

    def declare(self, type_: Type, inner: str) -> str:  # noqa: PLR0911 -- one for each kind
        """Return the declaration of `inner`: a name with the stars and brackets around it."""
        self._left -= 1
        if self._left < 0 or len(inner) > MAX_DECLARATION:
            return _join("...", inner)
        spelled = type_.spelled
        if spelled is not None and not self._plain:
            if spelled.keyword == "typedef":
                return _join(spelled.name, inner)
            if _is_bare_pointer(spelled.of):
                return self.declare(spelled.of, _join(spelled.keyword, inner))
            rest = self.declare(spelled.of, inner)  # gcc qualifies an array and its elements, too
            prefix = f"{spelled.keyword} "
            return rest if rest.startswith(prefix) else prefix + rest
        match type_:
            case PointerType():
                return self._pointer(type_.target, f"*{inner}")
            case ArrayType() if type_.is_vector:
                element = self.declare(type_.element, "")
                return _join(f"{element} __attribute__((vector_size({type_.size})))", inner)
            case ArrayType():
                count = "" if type_.count is None else str(type_.count)
                return self.declare(type_.element, f"{inner}[{count}]")
            case FunctionType():
                return self._function(type_, inner)
        return _join(_own_name(type_), inner)

    def _pointer(self, target: Type, inner: str) -> str:
        bare = target.spelled is None or self._plain
        if bare and isinstance(target, ArrayType | FunctionType):
            inner = f"({inner})"
        return self.declare(target, inner)

    def _function(self, type_: FunctionType, inner: str) -> str:
        parts: list[str] = []
        for parameter in type_.parameters:
            parts.append(self.declare(parameter.type, "" if self._plain else parameter.name))
            if self._left < 0:
                break
        if type_.variadic:
            parts.append("...")
        return self.declare(type_.result, f"{inner}({', '.join(parts) or 'void'})")


def _join(name: str, inner: str) -> str:
    return name + inner if not inner or inner[0] == "[" else f"{name} {inner}"


def _own_name(type_: Type) -> str:
    """Return the name of a type that is no pointer, array or function."""
    spelled = type_.spelled
    while spelled is not None and _is_anonymous(type_):  # there is no other name to print
        if spelled.keyword == "typedef":
            return spelled.name
        spelled = spelled.of.spelled
    return type_.name


def _is_anonymous(type_: Type) -> bool:
    return isinstance(type_, StructType | EnumType) and type_.name.endswith("(anonymous)")


def _is_bare_pointer(type_: Type) -> bool:
    """Return whether this is a pointer that no typedef names: a qualifier goes behind its star."""
    spelled = type_.spelled
    while spelled is not None:
        if spelled.keyword == "typedef":
            return False
        spelled = spelled.of.spelled
    return isinstance(type_, PointerType)


def _body(type_: Type, base: int, depth: int) -> str:
    """Return `struct task { ... }`; offsets of members count from `base`."""
    indent = _TAB * depth
    head = type_.name.removesuffix(" (anonymous)")
    if isinstance(type_, EnumType):
        lines = [f"{indent}{_TAB}{name} = {value}," for value, name in type_.names]
        return "\n".join([f"{head} {{", *lines, f"{indent}}}"])
    assert isinstance(type_, StructType)
    lines = []
    bits = 8 * base  # where the next member would lie without a gap
    for member in type_.members:
        first = 8 * (base + member.offset) + (member.bit_offset or 0)
        gap = first - bits
        if gap > 0 and not type_.is_union:
            lines.append(f"{indent}{_TAB}/* {_amount(gap)} unused */")
        lines.append(_member(member, base, depth + 1))
        end = first + (8 * member.size if member.bit_size is None else member.bit_size)
        bits = max(bits, end)
    left = 8 * (base + type_.size) - bits
    if left > 0 and type_.members:
        lines.append(f"{indent}{_TAB}/* {_amount(left)} unused */")
    lines.append(f"{indent}{_TAB}/* size: {type_.size} */")
    return "\n".join([f"{head} {{", *lines, f"{indent}}}"])


def _member(member: Member, base: int, depth: int) -> str:
    """Return the line of a member, or the lines of one whose structure has no name."""
    indent, offset = _TAB * depth, base + member.offset
    inner, dimensions = member.type, ""
    while isinstance(inner, ArrayType) and inner.spelled is None and not inner.is_vector:
        dimensions += f"[{'' if inner.count is None else inner.count}]"
        inner = inner.element
    where = f"{offset:5}" if member.bit_size is None else f"{offset:5}:{member.bit_offset}"
    size = f"/* {where:7} {member.size:5} */"
    if inner.spelled is None and _is_anonymous(inner) and member.bit_size is None:
        name = f" {member.name}{dimensions}".rstrip()
        return f"{indent}{_body(inner, offset, depth)}{name};  {size}"
    width = "" if member.bit_size is None else f" : {member.bit_size}"
    text = f"{declare(member.type, member.name)}{width};"
    return f"{indent}{text:{_COLUMN - 8 * depth - 1}} {size}"


def _amount(bits: int) -> str:
    whole, rest = divmod(bits, 8)
    parts = [f"{whole} byte{'s' * (whole != 1)}"] * bool(whole)
    parts += [f"{rest} bit{'s' * (rest != 1)}"] * bool(rest)
    return ", ".join(parts)
