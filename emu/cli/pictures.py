"""Scenes on a terminal. What a byte is can be read without colour: brackets say it.

0f   old      [cc]  int3      <e8>  new      ~0f~  stale: memory holds something else by now
"""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from emu.cli.console import shown
from emu.image.disasm import decode_one
from emu.moves.plan import PHASES
from emu.scene.scene import Byte, Core, Scene, Site, Version

_FRAMES = {
    Version.OLD: (" ", " ", "white"),
    Version.BOTH: (" ", " ", "dim"),
    Version.INT3: ("[", "]", "bold yellow"),
    Version.NEW: ("<", ">", "bold green"),
    Version.OTHER: ("?", "?", "bold red"),
}
_STALE = ("~", "~", "bold magenta")


def legend() -> Text:
    """Return the line that explains the brackets."""
    text = Text("  ")
    for sample, words in (
        (Byte(0x0F, 0x0F, Version.OLD), "old"),
        (Byte(0xCC, 0xCC, Version.INT3), "int3"),
        (Byte(0xE8, 0xE8, Version.NEW), "new"),
        (Byte(0x0F, 0xCC, Version.OLD), "stale: memory holds something newer"),
    ):
        text.append_text(_cell(sample)).append(f" {words}  ")
    text.append("\n  A core's row shows the oldest bytes it may still execute.")
    return text


def picture(scene: Scene) -> RenderableType:
    """Return a scene as something rich can print."""
    number = f"{PHASES.index(scene.phase) + 1}/{len(PHASES)} " if scene.phase in PHASES else ""
    parts: list[RenderableType] = [
        Rule(
            Text(f"{number}{scene.phase} · {scene.time:,} ns", "bold"), align="left", style="cyan"
        ),
        Text(scene.sentence),
    ]
    for index, site in enumerate(scene.sites):
        heading = Text(f"\n  {shown(site.function.encode())}", "bold cyan")
        given_back = scene.phase == "given back"
        parts += [
            heading if given_back else _change(site),
            Padding(_table(site, index, scene.cores), (0, 0, 0, 2)),
        ]
    return Group(*parts, Text())


def _change(site: Site) -> Text:
    return Text.assemble(
        "\n  ",
        (shown(site.function.encode()), "bold cyan"),
        f": {_instruction(site.old, site.address)} becomes ",
        (_instruction(site.new, site.address), "green"),
    )


def _instruction(code: bytes, address: int) -> str:
    """Return an instruction as people say it; what a long nop pretends to read is left out."""
    decoded = decode_one(code, address)
    operands = "" if decoded.mnemonic == "nop" else f" {decoded.op_str.removeprefix('0x')}"
    return f"{decoded.mnemonic}{operands}"


def _table(site: Site, index: int, cores: Sequence[Core]) -> Table:
    table = Table.grid(padding=(0, 1))
    for least in (6, 9, 20, 21):  # who, task, bytes, words: never cut; the rest is for the place
        table.add_column(no_wrap=True, min_width=least)
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_row("memory", "", _cells(site.memory), _words(site.memory), "")
    for core in cores:
        fetched = core.sites[index]
        where = core.place if core.activity == "runs" else core.activity
        table.add_row(
            f"core {core.number}",
            Text(shown(core.task.encode()), "cyan"),
            _cells(fetched),
            _words(fetched),
            Text(where, "dim"),
        )
    return table


def _cells(fetched: Sequence[Byte]) -> Text:
    return Text().join(_cell(byte) for byte in fetched)


def _cell(byte: Byte) -> Text:
    left, right, style = _STALE if byte.stale else _FRAMES[byte.version]
    return Text(f"{left}{byte.value:02x}{right}", style)


def _words(fetched: Sequence[Byte]) -> str:
    """Return what the bytes are, in words; of a core, the oldest that it may fetch."""
    kinds = {byte.version for byte in fetched} - {Version.BOTH}
    stale = ", stale" if any(byte.stale for byte in fetched) else ""
    if Version.INT3 in kinds:
        tail = {byte.version for byte in fetched[1:]} - {Version.BOTH}
        named = f", {tail.pop().value} tail" if len(tail) == 1 else ""
        return f"int3{named}{stale}"
    if len(kinds) == 1:
        return f"{kinds.pop().value}{stale}"
    return f"old and new mixed{stale}" if kinds else f"old = new{stale}"


def show(console: Console, what: RenderableType) -> None:
    """Print a picture."""
    console.print(what, highlight=False)
