"""textpoke types: the C types of an image, with offsets and sizes."""

import fnmatch
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emu import resources
from emu.cli import console, options
from emu.cli.symbols import is_pattern
from emu.errors import BadSymbol

if TYPE_CHECKING:
    from emu.image.types import Type, Types, Variable

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="A type, variable or function; or a pattern of types such as 'struct *'.",
        show_default=False,
    ),
]


def types(image: options.Image, name: Name = None, as_json: options.Json = False) -> None:
    """List the types of an image, or show one as C with offsets and sizes.

    The name of a variable or function shows its type. --json: {"image", "types": [...]}; a type
    is {"name", "kind", "size"}, and when NAME is given with "members" [{"name", "type", "offset",
    "size", "bit_offset", "bit_size"}], "values" {name: number} or "target" as its kind has them;
    for variables {"image", "variables": [{"name", "type", "size", "address", "file",
    "function"}]}, for a function {"image", "function", "type"}.
    """
    from emu.image.elf import ElfImage  # noqa: PLC0415 -- loads numpy

    elf = ElfImage.read(resources.image_path(image))
    found = elf.types
    if name is None or (is_pattern(name) and name not in found):  # `u8 *` is a type, too
        names = [each for each in found.names() if fnmatch.fnmatchcase(each, name or "*")]
        if not names:
            raise BadSymbol(f"no type in {elf.name} matches {name!r}")
        _list(elf.name, found, names, as_json=as_json)
        return
    document, text = _one(found, name, elf.name)
    if as_json:
        console.document({"image": elf.name, **document})
    else:
        console.line(console.printable(text))


def _list(image: str, found: "Types", names: list[str], *, as_json: bool) -> None:
    if as_json:
        listed = [_summary(name, found[name]) for name in names]
        console.document({"image": image, "types": listed})
        return
    for name in names:
        kind = found[name]
        spelled = kind.spelled
        what = f"{name} = {spelled.of.called}" if spelled is not None else name
        console.line(console.printable(f"{kind.size:8}  {what}"))


def _one(found: "Types", name: str, image: str) -> tuple[dict[str, Any], str]:
    """Return what NAME is, as a document and as text; BadSymbol if it is nothing."""
    for full in (name, f"struct {name}", f"union {name}", f"enum {name}"):
        if full in found:
            return {"types": [_detailed(full, found[full])]}, str(found[full])
    variables = found.variables(name)
    if variables:
        text = "\n".join(_declared(each) for each in variables)
        return {"variables": [_variable(each) for each in variables]}, text
    if name in found.function_names():
        from emu.image.declare import declare  # noqa: PLC0415 -- with the rest

        text = declare(found.function(name), name)
        return {"function": name, "type": text}, f"{text};"
    names = (*found.names(), *found.variable_names(), *found.function_names())
    bare = (each.partition(" ")[2] for each in names if each.startswith(("struct ", "union ")))
    raise BadSymbol.unknown("type, variable or function", name, (*names, *bare), image)


def _summary(name: str, type_: "Type") -> dict[str, Any]:
    kind = type(type_).__name__.removesuffix("Type").lower()
    return {"name": name, "kind": kind, "size": type_.size}


def _detailed(name: str, type_: "Type") -> dict[str, Any]:
    from emu.image.types import EnumType, PointerType, StructType  # noqa: PLC0415 -- with the rest

    found = _summary(name, type_)
    if type_.spelled is not None:
        found["target"] = type_.spelled.of.called
    if isinstance(type_, StructType):
        found["members"] = [
            {
                "name": member.name,
                "type": member.type.called,
                "offset": member.offset,
                "size": member.size,
                "bit_offset": member.bit_offset,
                "bit_size": member.bit_size,
            }
            for member in type_.members
        ]
    elif isinstance(type_, EnumType):
        found["values"] = {label: value for value, label in type_.names}
    elif isinstance(type_, PointerType):
        found["target"] = type_.target.called
    return found


def _declared(found: "Variable") -> str:
    from emu.image.declare import declare  # noqa: PLC0415 -- with the rest

    where = "" if found.address is None else f" at {found.address:#x}"
    static = "" if found.is_global else "static "
    file = f", {found.file}" if found.file else ""
    within = f", in {found.function}()" if found.function else ""
    comment = f"/* {found.type.size} bytes{where}{file}{within} */"
    return f"{static}{declare(found.type, found.name)};  {comment}"


def _variable(found: "Variable") -> dict[str, Any]:
    return {
        "name": found.name,
        "type": found.type.called,
        "size": found.type.size,
        "address": found.address,
        "file": found.file,
        "function": found.function,
    }
