"""textpoke stack: who called whom, for the tasks of a kernel at an instant."""

from typing import TYPE_CHECKING, Annotated

import typer

from emu.cli import console, instant, options, tasks
from emu.errors import BadSymbol, closest

if TYPE_CHECKING:
    from emu.guest.stack import Frame, Stack
    from emu.guest.tasks import Task

Which = Annotated[
    str,
    typer.Argument(
        metavar="TASK",
        help="Its number, its name, or name/number; else all of them.",
    ),
]

_KINDS = {"interrupt": "  <interrupt>", "trampoline": "  <trampoline>", "user": "  <ring 3>"}


def stack(
    context: typer.Context,
    image: options.ImageOrNone = None,
    which: Which = "all",
    origin: options.From = None,
    cores: options.Cores = 4,
    seed: options.Seed = None,
    model: options.Model = "sdm",
    engine: options.Engine = "compiled",
    append: options.Append = "",
    ram: options.Ram = 64,
    until: options.Instant = None,
    steps: options.After = None,
    as_json: options.Json = False,
) -> None:
    """Boot a kernel, or go on from a snapshot, stop, and show the stacks of its tasks.

    Stacks are walked by the call frame information of the image (.debug_frame). Where a step is
    not certain, the stack is called unreliable, with the reason: its frames are then a guess.

    Exit status: 0, 2 bad input or no tasks, 4 the guest died, 6 --until was not seen.
    """
    lab, status = instant.reach(
        context,
        image,
        origin,
        until=until,
        steps=steps,
        cores=cores,
        seed=seed,
        model=model,
        engine=engine,
        append=append,
        ram_mib=ram,
    )
    chosen = _chosen(tasks.known(lab.guest), which)
    found = [(task, lab.guest.stack(task)) for task in chosen]
    if as_json:
        rows = [tasks.document(task, walked) | _document(walked) for task, walked in found]
        instructions = lab.machine.retired()
        console.document({"instructions": instructions, "seed": seed, "stacks": rows})
    else:
        for number, (task, walked) in enumerate(found):
            if number:
                console.line("")
            _show(task, walked)
    raise typer.Exit(status)


def _chosen(there: tuple["Task", ...], which: str) -> list["Task"]:
    if which == "all":
        return list(there)
    found = [task for task in there if which in (str(task.pid), task.comm, str(task))]
    if not found:
        near = closest(which, [task.comm for task in there])
        hint = f"did you mean {' or '.join(near)}?" if near else "textpoke tasks lists all"
        raise BadSymbol(f"no task {which!r}: {hint}")
    return found


def _document(found: "Stack") -> dict[str, object]:
    return {
        "reliable": found.reliable,
        "reason": found.reason,
        "frames": [
            {
                "pc": tasks.address(frame.pc),
                "is_return": frame.is_return,
                "cfa": tasks.address(frame.cfa),
                "kind": frame.kind,
                "function": frame.function,
                "offset": frame.offset,
                "source": frame.source,
            }
            for frame in found.frames
        ],
    }


def _show(task: "Task", found: "Stack") -> None:
    from emu.guest import off_core  # noqa: PLC0415 -- loads the machine

    lost = off_core.lost_core(task, found)
    how = f"on core {task.core}" if task.core is not None else lost or "without a core"
    lines = [", ".join(filter(None, (str(task), task.state, how)))]
    lines += [f"#{number:<3}{_frame(frame)}" for number, frame in enumerate(found.frames)]
    if not found.reliable:
        lines.append(f"(unreliable: {found.reason})")
    for line in lines:
        console.line(console.shown(line.encode()))


def _frame(frame: "Frame") -> str:
    return f"{frame}  {frame.source or ''}".rstrip() + _KINDS.get(frame.kind, "")
