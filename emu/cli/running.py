"""How a verb lets a machine run: as a console or not, what it leaves behind, and its status."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from emu import bounded_file
from emu.cli import console, options
from emu.cli.progress import Progress
from emu.errors import GuestDied

if TYPE_CHECKING:
    from emu.lab import End, Lab

BOUND: Final = 6
"""Exit status: the bound was reached before the end that was asked for."""

INTERRUPTED: Final = 130
"""Exit status: Ctrl-C, as a shell has it (128 + SIGINT)."""

MAX_INPUT: Final = 16 << 20
"""Bytes of --input."""

BOUND_OF_STEPS: Final = 2_000_000_000
"""Instructions after which a run ends where nobody types, unless it says otherwise."""
_EVENTS: Final = 1 << 18
"""Events that are kept for the report, 64 bytes each."""


def exit_status(started: "Lab", end: "End | None") -> int:
    """Return the exit status of a run; end is None where somebody left it."""
    if end is None:
        return 0
    if end.name == "EXIT":
        value = started.machine.exit_value
        # debug-exit as in QEMU (hw/misc/debugexit.c); a reset is the end, as with its -no-reboot
        return 0 if value is None else (value << 1 | 1) & 0xFF
    if end.name in ("DIED", "STUCK"):
        return GuestDied.status
    return {"BOUND": BOUND, "INTERRUPTED": INTERRUPTED}.get(end.name, 0)


@dataclass(frozen=True, slots=True)
class Running:
    """A run as its options ask for it.

    Attributes:
        verb: which goes on with the snapshot that is written.
        until, steps: what ends it, if anything does.
        bound: of its instructions, where nobody types and `steps` says nothing.
        alone: a text that ends it where nobody can type what the guest waits for.
        typed: what the guest's serial line receives; None: nothing, or what is typed.
        seed: to be told.
        snapshot, save: files to write at the end.
        show_hash, as_json: what to print.
        status: the exit status of a run that ended so; None: somebody left it.
    """

    verb: str
    until: bytes | None = None
    steps: int | None = None
    bound: int = BOUND_OF_STEPS
    alone: bytes | None = None
    typed: bytes | None = None
    seed: int | None = None
    snapshot: str | None = None
    save: str | None = None
    show_hash: bool = False
    as_json: bool = False
    status: "Callable[[Lab, End | None], int]" = exit_status

    def __call__(self, started: "Lab") -> int:
        """Let it run, and print and write what was asked for; returns the exit status."""
        from emu.cli import resume, session  # noqa: PLC0415 -- loads the machine

        started.machine.events.limit = _EVENTS
        if self.seed is not None:
            console.note(f"moves are chosen at random from seed {self.seed}")
        if self.typed is not None:
            started.input(self.typed)
        snapshot = self.snapshot
        write = None if snapshot is None else partial(resume.write, started, snapshot, self.verb)
        end: End | None
        if self.typed is None and not self.as_json and session.possible():
            steps = self.steps or options.MAX_STEPS
            end = session.Session(started, self.until, write).run(steps)
        else:
            if self.typed is None and not self.as_json and (why_not := session.impossible()):
                console.note(why_not)
            alone = self.alone if self.typed is None else None
            until = alone if self.until is None else self.until
            end = _run(started, until, self.steps or self.bound, quiet=self.as_json)
        if write is not None:
            write()
        if self.save is not None:
            started.schedule().write(self.save)
        status = self.status(started, end)
        if self.as_json:
            console.document({"status": status, **self._summary(started, end)})
        elif self.show_hash:
            shown = started.machine.output
            at_begin = not shown or shown.endswith(b"\n")
            console.line(started.hash() if at_begin else f"\n{started.hash()}")
        elif sys.stdout.isatty() and not started.machine.output.endswith((b"\n", b"\r")):
            console.line("")  # what is said now, or a shell's prompt, begins a line of its own
        _tell(started, end, as_json=self.as_json)
        return status

    def check_targets(self) -> None:
        """Refuse files that cannot be written, before a long run."""
        from emu.cli import resume  # noqa: PLC0415 -- with the rest
        from emu.moves import schedule_file  # noqa: PLC0415 -- loads numpy

        if self.save is not None:
            schedule_file.check_target(self.save)
        if self.snapshot is not None:
            resume.check_target(self.snapshot)

    def _summary(self, started: "Lab", end: "End | None") -> dict[str, object]:
        from emu.cli import report  # noqa: PLC0415 -- loads the machine

        machine, found = started.machine, started.report(end) if end else None
        return {
            "end": end.name.lower() if end else "left",
            "ended_by": machine.end,
            "exit_value": machine.exit_value,
            "instructions": machine.retired(),
            "moves": machine.moves,
            "virtual_ns": machine.now,
            "seed": self.seed,
            "serial": machine.output.decode(errors="backslashreplace"),
            "hash": started.hash() if self.show_hash else None,
            "report": report.document(found) if found else None,
            **({"steered": list(started.steering.told())} if started.steering else {}),
            **({"lost_syncs": list(lost)} if (lost := started.torn.lost_syncs()) else {}),
            **({"torn": [each.lines() for each in torn]} if (torn := started.torn.found) else {}),
        }


def typed(name: str | None) -> bytes | None:
    """Return the bytes of --input, a file or - for standard input; None if there is none."""
    if name is None:
        return None
    if name == "-" and not sys.stdin:
        return b""
    return bounded_file.read(name, MAX_INPUT, "--input", sys.stdin.buffer if name == "-" else None)


def _run(started: "Lab", until: bytes | None, steps: int, *, quiet: bool) -> "End":
    """Run with the serial line on standard output, and say on a terminal how far it is."""
    from emu.cli.interrupt import Interruptible  # noqa: PLC0415 -- loads the machine
    from emu.machine import compiling  # noqa: PLC0415 -- loads the machine

    def state() -> str | None:
        return None if compiling.busy() else f"{started.machine.retired():,} instructions"

    with Progress(state) as progress, Interruptible(started):

        def show(data: bytes) -> None:
            progress.output(data)
            console.serial(data)

        return started.run(until=until, instructions=steps, on_output=None if quiet else show)


def tell_torn(started: "Lab") -> None:
    """Say on standard error what cores executed that nobody wrote, or died of."""
    for torn in started.torn.found:
        first, *more_lines = torn.lines()
        console.note(first)
        for line in more_lines:
            console.note_more(line)


def _tell(started: "Lab", end: "End | None", *, as_json: bool) -> None:
    """Say on standard error how a run ended, where standard output does not."""
    from emu.cli import report  # noqa: PLC0415 -- loads the machine

    machine = started.machine
    steered = started.steering.told() if started.steering else ()
    for line in () if as_json else (*steered, *started.torn.lost_syncs()):
        console.note(line)
    if not as_json:
        tell_torn(started)
    if machine.end and machine.exit_value is None:
        console.note(machine.end)
    found = started.report(end) if end else None
    if found is None:
        return
    more = "; --steps raises the bound" if end and end.name == "BOUND" else ""
    console.note(f"{found.sentence}{more}")
    for line in () if as_json else report.lines(found):
        console.note_more(line)
