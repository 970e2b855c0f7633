"""A kernel at an instant, for verbs that look at it: booted, or gone on with, and then stopped."""

from typing import TYPE_CHECKING, Final

import typer

from emu.cli import console, options
from emu.cli.running import BOUND
from emu.errors import GuestDied

if TYPE_CHECKING:
    from emu.lab import Lab

_AFTER_BOOT: Final = 100_000
"""Instructions of --steps after a boot: a few turns of each core."""

_WAIT: Final = 2_000_000_000


def reach(
    context: typer.Context,
    image: str | None,
    origin: str | None,
    *,
    until: str | None,
    steps: int | None,
    **given: int | str | None,
) -> tuple["Lab", int]:
    """Return a lab at the instant that options ask for, and the exit status to end with.

    After a boot that is when all cores run tasks, or the text of --until is seen, and --steps
    later. given: what `lab.boot` is given.
    """
    from emu import lab  # noqa: PLC0415 -- loads the machine
    from emu.cli import resume  # noqa: PLC0415 -- with the rest

    awaited, seed = options.awaited(until), given["seed"]
    if origin is not None:
        resume.check(context, None)
        engine = str(given["engine"])
        found = lab.go_on(origin, image, seed=None if seed is None else int(seed), engine=engine)
    else:
        found = lab.boot(options.needed(image), **given)  # type: ignore[arg-type] # by name
    if seed is not None:
        console.note(f"moves are chosen at random from seed {seed}")
    status = _wait(found, awaited, booted=origin is None)
    after = steps if steps is not None else _AFTER_BOOT if not until and origin is None else 0
    if status == 0 and after:
        end = found.run(instructions=after)
        status = _status(found, end)
    return found, status


def _wait(found: "Lab", awaited: bytes | None, *, booted: bool) -> int:
    """Run until the text is seen, or all cores run tasks; returns the exit status."""
    from emu.lab import End  # noqa: PLC0415 -- loads the machine

    if awaited is not None:
        end = found.run(until=awaited, instructions=_WAIT)
        if end is End.TEXT:
            return 0
        console.note(f"{awaited.decode(errors='replace')!r} was not seen: {found.why(end)}")
        return _status(found, end) or BOUND
    if booted and "cpus_running" in found.image.symbols:
        end = found.run(instructions=_WAIT, stop=found.guest.all_run_tasks)
        if not found.guest.all_run_tasks():
            console.note(f"the cores never all ran tasks: {found.why(end)}")
            return _status(found, end) or BOUND
    return 0


def _status(found: "Lab", end: object) -> int:
    """Return the exit status of a run that was to go on, and say what ended it."""
    from emu.lab import End  # noqa: PLC0415 -- loads the machine

    if end in (End.DIED, End.STUCK):
        assert isinstance(end, End)
        console.note(found.why(end))
        return GuestDied.status
    if end is End.EXIT:
        console.note(found.machine.end or "the guest ended the machine")
    return 0
