"""Chapters: the phases of a plan as the story strip shows them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from emu.moves.plan import PHASES, Change, Ipi, Rmw, Step, Store, Wait
from emu.scene.outline import Outline
from emu.scene.rewriting import PATTERNS, Rewriting, phases_of

Status = Literal["done", "now", "to come", "left out"]

_USUAL: Final = dict(
    zip(
        PHASES,
        ("descriptor", "int3", "IPI", "tail", "IPI", "first byte", "IPI", "wait", ""),
        strict=True,
    )
)
"""What phases do while nobody knows yet to which site."""

_INT3 = b"\xcc"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A phase.

    Attributes:
        phase: one of `moves.plan.PHASES`.
        does: what it does to the first site, byte by byte (`cc .. .. .. ..`), or "IPI", or a word.
        status: "left out": the plan is broken and lacks it.
    """

    phase: str
    does: str
    status: Status


def usual() -> tuple[Chapter, ...]:
    """Return the chapters before there is a plan."""
    return tuple(Chapter(phase, _USUAL[phase], "to come") for phase in PHASES)


def chapters(outline: Outline, index: int | None, online: int) -> tuple[Chapter, ...]:
    """Return the chapters of a plan, in its order.

    index: of the step that comes next; None: the plan is done. online: the cores that the kernel
    uses, as a bit mask.
    """
    now = len(outline.groups) if index is None else outline.begun(index) - 1
    changes = outline.plan.changes
    found = []
    for at, (phase, steps) in enumerate(outline.groups):
        status: Status = "done" if at < now else "now" if at == now else "to come"
        found.append(Chapter(phase, _does(phase, steps, changes, online), status))
    names = [phase for phase, _ in outline.groups]
    for phase in _missing(names, changes):
        before = PHASES[: PHASES.index(phase)]
        place = max((names.index(each) + 1 for each in before[-1:] if each in names), default=0)
        names.insert(place, phase)
        found.insert(place, Chapter(phase, _USUAL[phase], "left out"))
    return tuple(found)


def of_kernel(found: Rewriting) -> tuple[Chapter, ...]:
    """Return the chapters of what a kernel does to its own text."""
    now, change = found.batch.phase, next(iter(found.changes), None)
    begun = {phase for phase, _ in found.batch.phases}
    shown = []
    for phase in phases_of(found):
        over = phase in begun and (phase != now or found.batch.over)
        status: Status = "done" if over else "now" if phase == now else "to come"
        does = _USUAL[phase]
        if change is not None and phase in PATTERNS:
            stored = change.new if phase != "int3" else _INT3 + change.new[1:]
            kept = range(len(stored))[PATTERNS[phase]]
            does = " ".join(
                f"{stored[at]:02x}" if at in kept else ".." for at in range(len(stored))
            )
        shown.append(Chapter(phase, does, status))
    return tuple(shown)


def _missing(names: Iterable[str], changes: Sequence[Change]) -> tuple[str, ...]:
    """Return the phases that text_poke_bp_batch would have for these changes, and are not there.

    Where no instruction has a tail there is nothing to store behind the int3, and where all
    become int3 nothing in front.
    """
    needless: set[str] = set()
    if all(len(change.new) == 1 for change in changes):
        needless |= {"tail", "sync2"}
    if all(change.new[:1] == _INT3 for change in changes):
        needless |= {"head", "sync3"}
    there = set(names) | needless
    return tuple(phase for phase in PHASES if phase not in there)


def _does(phase: str, steps: Sequence[Step], changes: Sequence[Change], online: int) -> str:
    """Return what steps do, in a few characters."""
    pattern = _pattern(steps, changes[0]) if changes else ""
    if pattern:
        return pattern
    sent = next((step.cores for step in steps if isinstance(step, Ipi)), None)
    if sent is not None:
        left_out = [
            str(core) for core in range(online.bit_length()) if (online & ~sent) >> core & 1
        ]
        return f"IPI, not to {', '.join(left_out)}" if left_out else "IPI"
    if any(isinstance(step, Rmw) for step in steps):
        return "wait" if any(isinstance(step, Wait) for step in steps) else "no wait"
    return _USUAL.get(phase, "")


def _pattern(steps: Sequence[Step], change: Change) -> str:
    """Return the bytes of a site that steps store, dots for the others; "" if they store none."""
    here = range(change.address, change.address + len(change.new))
    stored: dict[int, int] = {}
    for step in steps:
        if isinstance(step, Store) and step.address in here:
            stored.update(enumerate(step.data, step.address))
    if not stored:
        return ""
    return " ".join(f"{stored[at]:02x}" if at in stored else ".." for at in here)
