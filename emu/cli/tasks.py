"""textpoke tasks: the tasks of a kernel at an instant, and how each lost its core."""

from typing import TYPE_CHECKING

import typer

from emu.cli import console, instant, options
from emu.errors import TextpokeError

if TYPE_CHECKING:
    from emu.guest.guest import Guest
    from emu.guest.stack import Stack
    from emu.guest.tasks import Task

_HEAD = ("PID", "COMM", "STATE", "CPU", "CORE", "NVCSW", "NIVCSW", "WHERE")
_RIGHT = (0, 3, 5, 6)  # columns of numbers


def tasks(
    context: typer.Context,
    image: options.ImageOrNone = None,
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
    """Boot a kernel, or go on from a snapshot, stop, and list its tasks.

    The kernel describes its tasks as kernels/include/poke.h says. CPU is the core a task belongs
    to, CORE the one it has now, or how it lost it: preempted, gave up (by itself; if it slept, it
    has been woken since), blocked (it sleeps), ended, or ? where nobody knows. NVCSW and NIVCSW
    count how often it gave up the core, and how often that was taken.

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
    found = [(task, lab.guest.stack(task)) for task in known(lab.guest)]
    if as_json:
        rows = [document(task, stack) for task, stack in found]
        instructions = lab.machine.retired()
        console.document({"instructions": instructions, "seed": seed, "tasks": rows})
    else:
        _table([_HEAD, *(_row(task, stack) for task, stack in found)])
    raise typer.Exit(status)


def known(guest: "Guest") -> tuple["Task", ...]:
    """Return the tasks of a guest; raises TextpokeError where there are none."""
    found = guest.tasks()
    if found:
        return found
    name = guest.image.name
    if "tasks" in guest.image.symbols or "cpus" in guest.image.symbols:
        raise TextpokeError(f"{name} has no tasks yet: it was looked at too early (--steps)")
    raise TextpokeError(
        f"{name} does not describe its tasks: kernels/include/poke.h says how a kernel does"
    )


def document(task: "Task", stack: "Stack") -> dict[str, object]:
    """Return what is known of a task, for scripts."""
    from emu.guest import off_core  # noqa: PLC0415 -- loads the machine

    where = off_core.place(task, stack)
    return {
        "pid": task.pid,
        "comm": task.comm,
        "state": task.state,
        "cpu": task.cpu,
        "core": task.core,
        "lost_core": off_core.lost_core(task, stack),
        "on_rq": task.on_rq,
        "nvcsw": task.nvcsw,
        "nivcsw": task.nivcsw,
        "stack": address(task.stack),
        "stack_end": address(task.stack_end),
        "sp": address(task.sp),
        "cr3": address(task.cr3),
        "where": None if where is None else str(where),
        "source": None if where is None else where.source,
    }


def address(value: int | None) -> str | None:
    """Return an address as documents have it."""
    return None if value is None else f"{value:#x}"


def _row(task: "Task", stack: "Stack") -> tuple[str, ...]:
    from emu.guest import off_core  # noqa: PLC0415 -- loads the machine

    where = off_core.place(task, stack)
    core = off_core.lost_core(task, stack) or "?" if task.core is None else str(task.core)
    cpu, nvcsw, nivcsw = (
        "" if value is None else str(value) for value in (task.cpu, task.nvcsw, task.nivcsw)
    )
    place = "?" if where is None else f"{where} {where.source or ''}".rstrip()
    return str(task.pid), task.comm, task.state or "?", cpu, core, nvcsw, nivcsw, place


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in _RIGHT else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        console.line(console.shown(" ".join(cells).rstrip().encode()))
