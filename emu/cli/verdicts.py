"""The counts and the verdict of a patched run, for people and for scripts."""

import dataclasses

from emu.cli import console
from emu.detect.verdict import SAFE, Verdict
from emu.lab import Lab


def tell(verdict: Verdict, *, alive: bool) -> None:
    """Print the counts in three lines and the verdict in one. alive: the guest still is."""
    console.line(
        f"calls {verdict.calls:,} = old body {verdict.old:,} + replacement {verdict.new:,}"
        f" + lost {verdict.lost:,}; late {verdict.late:,}"
    )
    console.line(f"int3s taken {verdict.int3:,}, stale fetches executed {verdict.stale:,}")
    console.line(
        f"HAZARD {verdict.hazard:,}, torn {verdict.torn:,}, harmful {verdict.harmful:,}, "
        f"unhandled int3 {verdict.unhandled:,}"
    )
    died = "" if alive else ", but the guest died" if verdict.status == SAFE else "; the guest died"
    console.line(f"verdict: {', '.join(verdict.findings)}{died}")


def document(lab: Lab, verdict: Verdict, status: int, **more: object) -> dict[str, object]:
    """Return the result for scripts: counts, verdict, exit status, and what the verb knows."""
    return {
        "verdict": verdict.name,
        "findings": verdict.findings,
        "status": status,
        "counts": dataclasses.asdict(verdict),
        "image": lab.image.name,
        "cores": lab.machine.cores,
        "model": lab.machine.model,
        "instructions": lab.machine.retired(),
        "virtual_ns": lab.machine.now,
        "hash": lab.hash(),
        **more,
    }


def status(lab: Lab, verdict: Verdict) -> int:
    """Return the exit status: the verdict's, or 4 if the guest died of nothing it names."""
    machine = lab.machine
    died = machine.nobody_can_move() if machine.alive else machine.exit_value != 0
    return verdict.status if verdict.status != SAFE or not died else 4
