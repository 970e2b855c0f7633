"""textpoke disasm: the code of an image, with symbols and source lines."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emu import resources
from emu.cli import console, options
from emu.errors import BadImage
from emu.image.sites import crossed

if TYPE_CHECKING:
    from emu.image.listing import Row

What = Annotated[
    str,
    typer.Argument(
        metavar="FUNCTION|ADDRESS[..ADDRESS]",
        help="A function by name, by an address in it (0x...) or by a source line (vfs.c:120); "
        "or the bytes from an address up to another.",
    ),
]
SourceDir = Annotated[
    Path | None,
    typer.Option(
        "--source-dir",
        metavar="DIR",
        help="Where source files are; by default the folder of the image.",
    ),
]

_MOST = 10  # bytes shown in the column; an instruction with more makes it wider


def disasm(
    image: options.Image,
    what: What,
    source_dir: SourceDir = None,
    as_json: options.Json = False,
) -> None:
    """Disassemble a function or a range of an image, as its file has it.

    A star marks a site, and it is said where one crosses a border that a store may not. Source
    lines are shown where their file lies below the image's own folder, or below --source-dir.

    --json: {"image", "start", "end", "rows": [{"address", "bytes", "mnemonic", "operands",
    "symbol", "file", "line", "source", "site", "crosses"}]}; addresses are hex text, file and line
    are there where they change.
    """
    from emu.image.elf import ElfImage  # noqa: PLC0415 -- loads numpy
    from emu.image.listing import extent, listing  # noqa: PLC0415 -- loads capstone
    from emu.image.source import Sources  # noqa: PLC0415 -- with the rest

    path = resources.image_path(image)
    if source_dir is not None and not source_dir.is_dir():
        raise BadImage(f"{source_dir}: not a folder with sources")
    elf = ElfImage.read(path)
    start, end = extent(elf, what)
    sources = Sources([source_dir if source_dir is not None else path.parent])
    rows = list(listing(elf, start, end, sources=sources))
    if as_json:
        described = [_described(row) for row in rows]
        console.document(
            {"image": elf.name, "start": f"{start:#x}", "end": f"{end:#x}", "rows": described}
        )
        return
    width = 3 * max(min(_MOST, len(row.instruction.bytes)) for row in rows)
    for row in rows:
        for text in _lines(row, width):
            console.line(console.printable(text))


def _lines(row: "Row", width: int) -> list[str]:
    """Return the lines of a row: its symbol, its source line, the instruction."""
    lines = []
    if row.symbol is not None:
        lines.append(f"{row.symbol}:")
    if row.place is not None:
        lines.append(f"; {row.place}{'' if row.source is None else '  ' + row.source}".rstrip())
    code, mark = row.instruction, "*" if row.site else " "
    text = f"{code.mnemonic} {row.operands}"
    if row.site and (border := crossed(code.address)):
        text += f"  ; crosses {border}"
    lines.append(f"{code.address:016x} {mark} {code.bytes.hex(' '):{width}} {text}".rstrip())
    return lines


def _described(row: "Row") -> dict[str, Any]:
    return {
        "address": f"{row.instruction.address:#x}",
        "bytes": row.instruction.bytes.hex(),
        "mnemonic": row.instruction.mnemonic,
        "operands": row.operands,
        "symbol": row.symbol,
        "file": row.place.path if row.place else None,
        "line": row.place.line if row.place else None,
        "source": row.source,
        "site": row.site,
        "crosses": crossed(row.instruction.address) if row.site else None,
    }
