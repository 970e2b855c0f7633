"""Runs to be recorded and replayed."""

from emu.lab import Lab, boot
from emu.moves import move
from emu.moves.schedule import Schedule
from emu.moves.segment import Moves
from tests.labs import FUNCTION, SECOND, plans, redirected


def patched(model: str, seed: int, broken: str | None = None, *, record: bool = False) -> Lab:
    """Return a lab that has patched in, and out if it lived, and has drained."""
    lab = boot("toy", append="load", model=model, seed=seed)
    if record:
        lab.machine.record()
    lab.run_until_tasks()
    functions = (FUNCTION, SECOND) if broken == "unsorted" else (FUNCTION,)
    inward, outward = plans(lab, redirected(lab, *functions), broken)
    for plan in (inward, outward):
        lab.carry_out(plan, instructions=200_000)
        if not (lab.patcher.done and lab.machine.alive):
            break
        lab.run(instructions=3_000)
    lab.drain()
    return lab


def replayed(schedule: Schedule) -> Lab:
    """Make a schedule's moves on a machine that was just switched on."""
    setup = schedule.machine
    lab = boot(
        cores=setup.cores, ram_mib=setup.ram_mib, append=setup.command_line, model=setup.model
    )
    lab.replay(schedule)
    return lab


def spelled_out(model: str, seed: int) -> tuple[Schedule, str]:
    """Return a schedule of moves one by one, and the hash at its end."""
    lab = boot("toy", append="load", model=model, seed=seed)
    lab.machine.record()
    lab.run_until_tasks()
    (plan, _) = plans(lab, redirected(lab))
    before = len(lab.machine.recorded())
    lab.carry_out(plan)
    lab.run(instructions=2_000)
    rows = lab.machine.recorded()
    chosen = lab.schedule()
    segments = (Moves(rows[:before]), Moves.of([move.Request(0)]), Moves(rows[before:]))
    made = Schedule(
        chosen.image, chosen.machine, chosen.instructions, chosen.plans, segments, chosen.end
    )
    return made, lab.hash()
