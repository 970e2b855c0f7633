"""textpoke patch: give functions of a running kernel new bodies, and count what happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emu.cli import console, options, run
from emu.errors import BadSource, GuestDied

if TYPE_CHECKING:
    from emu.lab import End, Lab
    from emu.patch.redirect import Redirect

_LAST_LINES = 6  # of the serial line, where the guest ended the machine itself

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
    until: options.Until = None,
    steps: options.Steps = 10_000_000,
    save: options.Save = None,
    as_json: options.Json = False,
) -> None:
    """Boot a kernel, redirect functions once all cores run tasks, and count.

    The kernel meets kernels/include/poke.h. --steps counts from the moment the patch is in. All
    functions are rewritten in one batch (of 256; more are several batches).

    A replacement in C is a function with the name, or called livepatch_NAME, and the type of the
    one it replaces; it may be static. It may use all functions and variables of the kernel that are
    declared: #include <toy/defs.h> declares those of the toy kernel (kernels/include/toy), and
    "extern" does it by hand. It may have functions, static variables and strings of its own. What
    it calls in its own file stays there. fix.c, for example:

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

    To see that it works, let it printk() something and wait for that with --until; what the guest
    prints is in --json. More examples are in kernels/patches.

    A file of assembly is the body of one function: "mov eax, 42" and, on the next line, "ret". Such
    files go, in the order given, to those FUNCTIONs that no FILE.c has.

    Exit status: 0 safe, 2 bad input, 4 the guest died, 6 --until was not seen, 8 HAZARD, 10 torn,
    12 lost or late, 14 unhandled int3, 16 harmful; the highest wins.
    """  # noqa: D301 -- click keeps the lines of a paragraph that begins with this character
    from emu.cli import report, verdicts  # noqa: PLC0415 -- loads the machine
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
    ended = _run(lab, redirects, awaited, steps, undo=undo)
    lab.drain()
    verdict = lab.verdict()
    status = max(verdicts.status(lab, verdict), ended.status(lab))
    found = lab.report(ended.end, exited=True) if ended.status(lab) else None
    if found:
        console.note(f"{found.sentence}{f'; {ended.missed}' if ended.missed else ''}")
        for line in () if as_json else (*report.lines(found), *_last_words(lab, ended.end)):
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
        verdicts.tell(verdict, alive=lab.machine.alive)
    raise typer.Exit(status)


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a run ended. missed: what was to come about and did not. undone: patched out again."""

    end: "End"
    missed: str = ""
    undone: bool = False

    def status(self, lab: "Lab") -> int:
        """Return the exit status as far as it does not depend on what was counted."""
        if self.end.name == "EXIT":
            return GuestDied.status if self.missed or lab.machine.exit_value != 0 else 0
        if self.end.name in ("DIED", "STUCK"):
            return GuestDied.status
        return run.BOUND if self.missed else 0


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
    if _cut_short(lab):
        return _Ended(end, f"the patch was not in, {_phase(lab)}")
    missed = ""
    if until is None or until not in lab.machine.output[begin:]:
        end = lab.run(until=until, instructions=steps)
        if until and end.name != "TEXT":
            missed = f"{until.decode(errors='backslashreplace')!r} was not seen"
    if not undo or end.name in ("EXIT", "DIED", "STUCK"):
        return _Ended(end, missed)
    end = lab.patch_out(redirects, instructions=steps)
    if _cut_short(lab):
        return _Ended(end, f"the patch was not out, {_phase(lab)}")
    return _Ended(lab.run(instructions=steps), missed, undone=True)


def _cut_short(lab: "Lab") -> bool:
    """Return whether the patcher could not finish, or the machine ended meanwhile."""
    return not (lab.patcher.done and lab.machine.alive)


def _phase(lab: "Lab") -> str:
    phase = lab.patcher.phase
    return f"in phase {phase}" if phase else "its code was still being written"


def _last_words(lab: "Lab", end: "End") -> Iterator[str]:
    """Yield what a guest that ended its machine printed last: why, as a rule."""
    lines = [line for line in bytes(lab.machine.output).splitlines() if line.strip()]
    if end.name == "EXIT" and lines:
        yield "the last it printed:"
        for line in lines[-_LAST_LINES:]:
            yield f"  {console.shown(line)}"
