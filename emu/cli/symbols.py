"""textpoke symbols: the names of an image, where they are and what they stand for."""

import fnmatch
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emu import resources
from emu.cli import console, options
from emu.errors import BadImage, BadSymbol

if TYPE_CHECKING:
    from emu.image.elf import ElfImage
    from emu.image.symbols import Symbol

Pattern = Annotated[
    str | None,
    typer.Argument(
        metavar="PATTERN", help="A name, or a pattern such as 'vfs_*'.", show_default=False
    ),
]


def symbols(image: options.Image, pattern: Pattern = None, as_json: options.Json = False) -> None:
    """List symbols: address, size, kind, section, name and source line.

    A star marks a function with a site, an l what other files do not see.

    --json: {"image", "symbols": [{"name", "address", "size", "kind", "global", "section", "site",
    "file", "line"}]}; addresses are hex text, "site" is one, and what is not known is null.
    """
    from emu.image.elf import ElfImage  # noqa: PLC0415 -- loads numpy

    elf = ElfImage.read(resources.image_path(image))
    if not len(elf.symbols):
        raise BadImage(f"{elf.name}: has no symbols: link without -s, and do not strip it")
    matched = matching(elf, pattern)
    found = [_described(elf, symbol) for symbol in matched]
    if as_json:
        console.document({"image": elf.name, "symbols": found})
        return
    for symbol, each in zip(matched, found, strict=True):
        place = f"{each['file'].rpartition('/')[2]}:{each['line']}" if each["file"] else ""
        head = f"{symbol.address:016x} {each['size']:6} {each['kind']:8} {each['section'] or '-':7}"
        marks = ("l" if not each["global"] else " ") + ("*" if each["site"] is not None else " ")
        console.line(console.printable(f"{head} {marks} {each['name']}  {place}".rstrip()))


def matching(image: "ElfImage", pattern: str | None) -> "list[Symbol]":
    """Return the symbols whose name matches, in the order of addresses; BadSymbol if none does."""
    if pattern is None:
        return list(image.symbols)
    found = [each for each in image.symbols if fnmatch.fnmatchcase(each.name, pattern)]
    if not found and is_pattern(pattern):
        raise BadSymbol(f"no symbol in {image.name} matches {pattern!r}")
    if not found:
        part = [each.name for each in image.symbols if pattern in each.name]
        if part:
            raise BadSymbol(f"no symbol {pattern!r} in {image.name}: '*{pattern}*' matches "
                            f"{len(part)}, such as {part[0]}")  # fmt: skip
        raise BadSymbol.unknown("symbol", pattern, (s.name for s in image.symbols), image.name)
    return found


def is_pattern(name: str) -> bool:
    """Return whether a name has the wildcards of a shell."""
    return any(char in name for char in "*?[")


def _described(image: "ElfImage", symbol: "Symbol") -> dict[str, Any]:
    place = image.lines.place(symbol.address) if symbol.kind != "absolute" else None
    site = image.sites.functions.get(symbol.name) if symbol.kind == "func" else None
    return {
        "name": symbol.name,
        "address": f"{symbol.address:#x}",
        "size": symbol.size,
        "kind": symbol.kind,
        "global": symbol.is_global,
        "section": None if symbol.kind == "absolute" else image.section_at(symbol.address),
        "site": None if site is None else f"{site:#x}",
        "file": place.path if place else None,
        "line": place.line if place else None,
    }
