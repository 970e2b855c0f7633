"""textpoke patch: give functions of a running kernel new bodies, and count what happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emu.cli import console, options, running
from emu.errors import BadSource, GuestDied

if TYPE_CHECKING:
    from emu.lab import End, Lab
    from emu.patch.redirect import Redirect

_LAST_LINES = 6  # of the serial line are shown

Functions = Annotated[
    list[str], typer.Argument(metavar="FUNCTION", help="The functions to redirect, one batch.")
]
With = Annotated[
    list[Path],
    typer.Option(
        "--with",
        metavar="FILE",
        help="Where the replacements are: FILE.c, compiled by gcc or $CC, has any number of them "
        "by name; any other file is one replacement in assembly, Intel syntax. Repeatable.",
    ),
]
Include = Annotated[
    list[Path] | None,
    typer.Option(
        "--include",
        metavar="DIR",
        help="Look for headers of FILE.c here first, for a kernel that is not the toy. Repeatable.",
    ),
]
Undo = Annotated[
    bool,
    typer.Option("--undo", help="Give the functions back, and run as many instructions again."),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TEXT",
        help="End, or begin to undo, when the guest prints this after the patching has begun.",
    ),
]
Steps = Annotated[
    int,
    typer.Option(
        "--steps",
        parser=options.count,
        metavar="N",
        help="Instructions of all cores to run once the patch is in, at most so many with "
        "--until. Patching itself may take as many.",
    ),
]


def patch(
    image: options.Image,
    functions: Functions,
    sources: With,
    include: Include = None,
    undo: Undo = False,
    cores: options.Cores = 4,
    seed: options.RandomSeed = 1,
    model: options.Model = "sdm",
    engine: options.Engine = "compiled",
    append: options.Append = "",
    ram: options.Ram = 64,
    until: Until = None,
    steps: Steps = 10_000_000,
    save: options.Save = None,
    as_json: options.Json = False,
) -> None:
    """Boot a kernel, redirect functions once all cores run tasks, and count.

    The kernel meets kernels/include/poke.h. All functions are rewritten in one batch (of 256; more
    are several batches). Ctrl-C ends the run as its bound would, with what --save asks for.

    A replacement in C is a function with the name, or called livepatch_NAME, and the type of the
    one it replaces; it may be static. It may use all functions and variables of the kernel that are
    declared: #include <toy/defs.h> declares those of the toy kernel (kernels/include/toy), and
    "extern" does it by hand. It may have functions, static variables and strings of its own. What
    it calls in its own file stays there, so it cannot call the function it replaces: begin with a
    copy of its body ("textpoke disasm toy FUNCTION" says in which file it is). fix.c, for example:

    \b
      #include <toy/defs.h>
    \b
      long vfs_read(struct file *f, char *buf, size_t n)
      {
              const struct file_operations *fops = f->inode->fops;
    \b
              if (!fops || !fops->read || n > 64)
                      return -EINVAL;
              return fops->read(f, buf, n);
      }
    \b
      textpoke patch toy vfs_read --with fix.c

    To see that it works, let it printk() something and wait for that with --until; the last lines
    that the guest printed are shown, all are in --json. The toy kernel is under load unless
    --append says otherwise (kernels/toy/README.md). More examples are in kernels/patches.

    A file of assembly is the body of one function: "mov eax, 42" and, on the next line, "ret". Such
    files go, in the order given, to those FUNCTIONs that no FILE.c has.

    Exit status: 0 safe, 2 bad input, 4 the guest died, 6 --until was not seen or the patcher could
    not finish, 8 HAZARD, 10 torn, 12 lost or late, 14 unhandled int3, 16 harmful, 130 interrupted;
    the highest wins.
    """  # noqa: D301 -- click keeps the lines of a paragraph that begins with this character
    from emu.cli import report, verdicts  # noqa: PLC0415 -- loads the machine
    from emu.cli.interrupt import Interruptible  # noqa: PLC0415 -- loads the machine
    from emu.lab import boot  # noqa: PLC0415 -- loads the machine
    from emu.moves import schedule_file  # noqa: PLC0415 -- loads numpy

    awaited = options.awaited(until)
    if save is not None:
        schedule_file.check_target(save)
    lab = boot(
        image, cores=cores, ram_mib=ram, append=append, model=model, seed=seed, engine=engine
    )
    redirects = _load(lab, functions, sources, include or [])
    if not as_json:
        console.note(f"moves are chosen at random from seed {seed}")
    lab.run_until_tasks()
    with Interruptible(lab):
        ended = _run(lab, redirects, awaited, steps, undo=undo)
    if lab.patcher.done:  # else a replay would not end within the patch, as this run does
        lab.drain()
    verdict = lab.verdict()
    status = max(verdicts.status(lab, verdict), ended.status(lab))
    found = lab.report(ended.end, exited=True) if ended.status(lab) else None
    if found:
        console.note("; ".join(filter(None, (ended.missed, found.sentence, ended.hint))))
    if found and ended.wrong(lab) and not as_json:
        for line in (*report.lines(found), *_last_words(lab, ended.end)):
            console.note_more(line)
    if save is not None:
        lab.schedule().write(save)
    if as_json:
        more = {
            "functions": functions,
            "undone": ended.undone,
            "seed": seed,
            "serial": lab.machine.output.decode(errors="backslashreplace"),
            "report": report.document(found) if found else None,
        }
        console.document(verdicts.document(lab, verdict, status, **more))
    else:
        for line in _printed(lab, ended.begin) if lab.machine.alive else ():
            console.line(f"guest: {line}")
        verdicts.tell(verdict, alive=lab.machine.alive)
    raise typer.Exit(status)


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a run ended.

    missed: what was to come about and did not. undone: patched out again. begin: how much the
    guest had printed when the patcher began.
    """

    end: "End"
    begin: int
    missed: str = ""
    undone: bool = False

    @property
    def hint(self) -> str:
        """What may help."""
        return "--steps raises the bound" if self.end.name == "BOUND" else ""

    def wrong(self, lab: "Lab") -> bool:
        """Return whether it matters where the cores stand: they died, or hold up the patcher."""
        return self.end.name not in ("BOUND", "INTERRUPTED") or not lab.patcher.done

    def status(self, lab: "Lab") -> int:
        """Return the exit status as far as it does not depend on what was counted."""
        if self.end.name == "INTERRUPTED":
            return running.INTERRUPTED
        if self.end.name == "EXIT":
            return GuestDied.status if self.missed or lab.machine.exit_value != 0 else 0
        if self.end.name in ("DIED", "STUCK"):
            return GuestDied.status
        return running.BOUND if self.missed else 0


def _load(
    lab: "Lab", functions: Sequence[str], sources: Sequence[Path], include: Sequence[Path]
) -> "tuple[Redirect, ...]":
    """Place the replacements, and say on standard error what the compiler had to say."""
    try:
        return lab.load(functions, sources, include=include, warn=console.note_more)
    except BadSource as error:
        for line in error.said:
            console.note_more(line)
        raise


def _run(
    lab: "Lab",
    redirects: "Sequence[Redirect]",
    until: bytes | None,
    steps: int,
    *,
    undo: bool,
) -> _Ended:
    """Patch in, run, and with `undo` patch out and run again."""
    begin = len(lab.machine.output)
    end = lab.patch_in(redirects, instructions=steps)
    if _cut_short(lab, end):
        return _Ended(end, begin, _unfinished(lab, "in"))
    missed = ""
    if until is None or until not in lab.machine.output[begin:]:
        end = lab.run(until=until, instructions=steps)
        if until and end.name != "TEXT":
            missed = f"{until.decode(errors='backslashreplace')!r} was not seen"
    if not undo or end.name in ("EXIT", "DIED", "STUCK", "INTERRUPTED"):
        return _Ended(end, begin, missed)
    end = lab.patch_out(redirects, instructions=steps)
    if _cut_short(lab, end):
        return _Ended(end, begin, _unfinished(lab, "out"))
    return _Ended(lab.run(instructions=steps), begin, missed, undone=True)


def _cut_short(lab: "Lab", end: "End") -> bool:
    """Return whether the patcher could not finish, or the run ended meanwhile."""
    return not (lab.patcher.done and lab.machine.alive) or end.name == "INTERRUPTED"


def _unfinished(lab: "Lab", way: str) -> str:
    """Return where the patcher was when it could not finish, "" if it had."""
    return f"the patch was not {way}, {lab.patcher.where}" if lab.patcher.where else ""


def _last_words(lab: "Lab", end: "End") -> Iterator[str]:
    """Yield what a guest that ended its machine printed last: why, as a rule."""
    lines = _printed(lab)
    if end.name == "EXIT" and lines:
        yield "the last it printed:"
        yield from (f"  {line}" for line in lines)


def _printed(lab: "Lab", begin: int = 0) -> list[str]:
    """Return the last lines on the serial line, from a byte of it on."""
    lines = [line for line in bytes(lab.machine.output[begin:]).splitlines() if line.strip()]
    return [console.shown(line) for line in lines[-_LAST_LINES:]]
