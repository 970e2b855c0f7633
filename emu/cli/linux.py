"""textpoke linux: boot a stock Linux kernel, or fetch one."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from emu.cli import console, options, resume, running
from emu.errors import BadSchedule, GuestDied

if TYPE_CHECKING:
    from emu.lab import End, Lab, Linux

TORN: Final = 1
"""The exit status of a run in which a core executed bytes that nobody wrote, or a stale int3."""

SCRIPT_FAILED: Final = 3
"""Exit status: our init's script failed; as `poweroff 1` in it would have it."""

_BOUND: Final = 20_000_000_000
"""Instructions of a run where nobody types: over twenty boots of Linux 6.12."""

_PROMPT: Final = b"init# "  # kernels/init/prompt.c
_FAILED: Final = b"init: script failed"  # kernels/init/main.c
_PANIC: Final = re.compile(rb"Kernel panic - not syncing: [^\r\n]*")  # kernel/panic.c
_FROM_THE_START: Final = {
    "bzimage": "--bzimage",
    "script": "--script",
    "initramfs": "--initramfs",
    "files": "--with",
}
"""What the kernel got when it was started."""

_OF_A_RUN: Final = {
    **resume.DECIDED,
    "origin": "--from",
    "seed": "--seed",
    "faults": "--faults",
    "holds": "--hold",
    "sync_faults": "--fault",
    "typed": "--input",
    "until": "--until",
    "steps": "--steps",
    "snapshot": "--snapshot",
}
"""What a schedule says itself."""

File = Annotated[
    str | None,
    typer.Argument(
        metavar="[FILE]",
        help="A Debian package linux-image-*, a bzImage or a vmlinux; by default what `get` "
        "fetched. With --from: to name its functions by.",
        show_default=False,
    ),
]
Package = Annotated[
    str | None,
    typer.Argument(
        metavar="[PACKAGE]",
        help="After `get`: a package linux-image-*, or a version: 6.1, 6.12.",
        show_default=False,
    ),
]
Append = Annotated[
    str,
    typer.Option("--append", metavar="TEXT", help="More words for the kernel's command line."),
]
Ram = Annotated[
    int, typer.Option("--ram", min=32, max=3072, metavar="MIB", help="Memory of the machine.")
]
Script = Annotated[
    Path | None,
    typer.Option(
        "--script",
        metavar="FILE",
        help="What our init carries out (docs/linux.md); or the name of a script that comes with "
        "textpoke: oracle, rounds, every, load, stress, faults, fatal-int3, fatal-stack.",
    ),
]
With = Annotated[
    list[Path] | None,
    typer.Option(
        "--with",
        metavar="FILE",
        help="Lies in / by its name, beside our init: a module, a program. Repeatable.",
    ),
]
Initramfs = Annotated[
    Path | None,
    typer.Option("--initramfs", metavar="FILE", help="Start with this one instead of our init."),
]
BzImage = Annotated[
    bool,
    typer.Option(
        "--bzimage",
        help="Let the kernel unpack and move itself (KASLR), as firmware would start it.",
    ),
]


Holds = Annotated[
    list[str] | None,
    typer.Option(
        "--hold",
        metavar="HOLD",
        help='"core C while *ADDR == BYTE until core D executes ADDR": give core C no turns, each '
        "time the byte becomes that; ADDR is a symbol, or symbol+offset. Repeatable.",
    ),
]
SyncFaults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="FAULT",
        help='"lose [every] sync K on core C [of FUNCTION] [after TEXT]", or "delay ... on core C '
        "by N ...\": of a patch of the kernel's text. Repeatable.",
    ),
]


Replay = Annotated[
    str | None,
    typer.Option(
        "--replay",
        metavar="FILE",
        help="Make the moves of a run again that --save FILE has kept, with the same FILE, "
        "--script, --with, --initramfs and --bzimage.",
    ),
]


def linux(
    context: typer.Context,
    file: File = None,
    package: Package = None,
    origin: options.From = None,
    cores: options.Cores = 2,
    seed: options.Seed = None,
    faults: options.Faults = None,
    holds: Holds = None,
    sync_faults: SyncFaults = None,
    model: options.Model = "sdm",
    append: Append = "",
    ram: Ram = 256,
    script: Script = None,
    files: With = None,
    initramfs: Initramfs = None,
    bzimage: BzImage = False,
    typed: options.Input = None,
    until: options.Until = None,
    steps: options.EndlessSteps = None,
    show_hash: options.Hash = False,
    snapshot: options.Snapshot = None,
    save: options.Save = None,
    saved: Replay = None,
    as_json: options.Json = False,
) -> None:
    """Boot a stock Linux kernel, with its serial line on standard output; get: fetch one.

    At a terminal, what you type is what its console receives: Ctrl-A X leaves, Ctrl-A H helps,
    and Ctrl-C goes to the guest. Our init mounts proc, sys and tracefs, carries out the script,
    and then asks for commands; where nobody can type, the run ends there.

    \b
      textpoke linux get                       fetch Debian's cloud kernel 6.1, by apt
      textpoke linux                           boot it, and type: help
      textpoke linux --script FILE             carry out a script, and end
      textpoke linux --snapshot booted         keep the booted machine,
      textpoke linux --from booted             and go on with it at once

    Exit status: 0 the text of --until or the end of the script was seen, the guest switched the
    machine off or reset it, or you left; 1 a core executed torn bytes, or a stale int3 that the
    kernel died of, 2 bad input, 3 the script failed, 4 the kernel panicked or died, 6 the bound of
    --steps was reached, 130 interrupted, (V << 1) | 1 the guest wrote V to the debug-exit port.
    """  # noqa: D301 -- click keeps the lines of a paragraph that begins with this character
    if file == "get":
        from emu.cli import linux_get  # noqa: PLC0415 -- nothing else needs it

        linux_get.get(package)
        return
    if package is not None:
        raise typer.BadParameter(f"{package!r}: only `get` takes a second word")
    from emu import lab  # noqa: PLC0415 -- loads the machine

    wanted = running.Running(
        "linux",
        until=options.awaited(until),
        steps=steps,
        bound=_BOUND if origin is None else running.BOUND_OF_STEPS,
        alone=_PROMPT if initramfs is None else None,
        typed=running.typed(typed),
        seed=seed,
        snapshot=snapshot,
        save=save,
        show_hash=show_hash,
        as_json=as_json,
        status=_status,
    )
    wanted.check_targets()
    text = lab.read_script(script) if script is not None else b""
    what = lab.Linux(file, text, tuple(files or ()), initramfs, bzimage, append)
    if saved is not None:
        options.refuse(context, _OF_A_RUN, "is for a run of its own, not for --replay: leave it")
        raise typer.Exit(_replay(what, saved, save, show_hash=show_hash, as_json=as_json))
    if origin is not None:
        resume.check(context, save, _FROM_THE_START)
        started = lab.go_on_linux(origin, file, seed=seed, faults=faults or 0)
    else:
        started = lab.boot(
            what.image(),
            cores=cores,
            ram_mib=ram,
            append=what.command_line,
            model=model,
            seed=seed,
            faults=faults or 0,
        )
    there = started.machine.cores
    if holds or sync_faults:
        started.steer(
            [lab.Hold.parse(text, there) for text in holds or ()],
            [lab.SyncFault.parse(text, there) for text in sync_faults or ()],
        )
    raise typer.Exit(wanted(started))


def _replay(what: "Linux", file: str, save: str | None, *, show_hash: bool, as_json: bool) -> int:
    """Make the moves of a schedule again; returns the exit status, as `replay`."""
    from emu import lab  # noqa: PLC0415 -- loads the machine
    from emu.cli import replay  # noqa: PLC0415 -- with the rest
    from emu.moves.schedule import Schedule  # noqa: PLC0415 -- loads numpy

    recorded, image = Schedule.read(file), what.image()
    setup, started = recorded.machine, image.boot_image
    if started.sha256 != recorded.image.sha256:
        raise BadSchedule(
            f"{file}: saved with {recorded.image.name} and what it was started with; this is "
            f"{started.name}, or another --script, --with, --initramfs or --bzimage"
        )
    again = lab.boot(
        image,
        cores=setup.cores,
        ram_mib=setup.ram_mib,
        append=setup.command_line,
        model=setup.model,
        clock=setup.clock,
    )
    status = replay.make_again(again, file, recorded, save, show_hash=show_hash, as_json=as_json)
    again.torn.follow()
    if not as_json:
        running.tell_torn(again)
    return TORN if again.torn.found else status


def _status(started: "Lab", end: "End | None") -> int:
    """Return the exit status of a run; says so if the kernel panicked."""
    if started.torn.found:
        return TORN
    status = running.exit_status(started, end)
    if status or end is None:
        return status
    output = started.machine.output
    if end.name == "EXIT" and (found := _PANIC.search(output)):
        console.note(console.shown(found[0]))
        return GuestDied.status
    return SCRIPT_FAILED if _FAILED in output else 0
