"""The options of textpoke gui. None of them loads Qt or the machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from emu.moves.plan import PHASES
from gui.layouts import LAYOUTS
from gui.theme import THEMES

FAILURE: Final = "failure"
"""What --at takes besides phases."""


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def word(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"{text[:40]!r} is none of {', '.join(names)}")
        return text

    return word


File = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        help="A run to play, as demo, run and patch --save it; without, a new one is made.",
        show_default=False,
    ),
]
Screenshot = Annotated[
    Path | None,
    typer.Option(
        "--screenshot", metavar="FILE", help="Write a picture (PNG) instead; needs no display."
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        parser=_one_of((*PHASES, FAILURE)),
        metavar="PHASE",
        help=f"Stand at the end of a phase: {', '.join(PHASES)}; or at the first {FAILURE}.",
    ),
]
Size = Annotated[
    str | None, typer.Option("--size", metavar="WxH", help="Size of the window, in pixels.")
]
Theme = Annotated[
    str | None,
    typer.Option(
        "--theme",
        parser=_one_of(tuple(THEMES)),
        metavar="T",
        help="light or dark; without, as the desktop has it.",
    ),
]
Layout = Annotated[
    str,
    typer.Option(
        "--layout",
        parser=_one_of(LAYOUTS),
        metavar="L",
        help="desktop, or projector: large and few panels.",
    ),
]
Break = Annotated[
    str | None,
    typer.Option(
        "--break",
        metavar="NAME",
        help="Break the protocol, see textpoke demo --help. Where neither a seed, cores nor a "
        "function is named, a recorded run in which it fails is played.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="M",
        help="What a core may fetch of changed code: coherent, observed, intel2010 or sdm, the "
        "default.",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=(1 << 64) - 1,
        metavar="S",
        help="Choose every move at random from this seed, by default 1.",
    ),
]
Cores = Annotated[
    int | None,
    typer.Option(
        "--cores", min=1, max=8, metavar="N", help="Cores of the machine, 1 to 8, by default 4."
    ),
]
Image = Annotated[
    str,
    typer.Option("--image", metavar="IMAGE", help='The kernel: a path, or "toy".'),
]
Append = Annotated[
    str | None,
    typer.Option(
        "--append",
        metavar="TEXT",
        help='The kernel\'s command line, by default "load" for the toy and nothing for others.',
    ),
]
Function = Annotated[
    list[str] | None,
    typer.Option("--function", metavar="NAME", help="Patch this function. Repeatable."),
]
With = Annotated[
    list[Path] | None,
    typer.Option(
        "--with",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Where the replacements are, as for textpoke patch; of a stock kernel, what lies "
        "beside its init. Repeatable.",
    ),
]
Linux = Annotated[
    str | None,
    typer.Option(
        "--linux",
        metavar="FILE",
        help="A stock kernel, which patches itself: a Debian package, a bzImage or a vmlinux. "
        "With --from: to name its functions by.",
    ),
]
Script = Annotated[
    Path | None,
    typer.Option(
        "--script",
        metavar="FILE",
        help="What the init of a stock kernel carries out, a file or the name of a script that "
        "comes with textpoke; with --from it is typed at its prompt.",
    ),
]
Initramfs = Annotated[
    Path | None,
    typer.Option(
        "--initramfs",
        metavar="FILE",
        help="Start a stock kernel with this one instead of our init.",
    ),
]
BzImage = Annotated[
    bool,
    typer.Option(
        "--bzimage", help="Let a stock kernel unpack and move itself (KASLR), as firmware would."
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="SNAPSHOT", help="Go on from what textpoke linux --snapshot kept."
    ),
]
Fault = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="TEXT",
        help="Break what a stock kernel does: lose every sync 1 on core 1 (docs/linux.md). "
        "Repeatable.",
    ),
]
Hold = Annotated[
    list[str] | None,
    typer.Option(
        "--hold",
        metavar="TEXT",
        help="Let a core wait for another: core C while *ADDR == BYTE until core D executes ADDR. "
        "Repeatable.",
    ),
]
