"""What the tasks panel calls things: a sign and words for each status and each place."""

from collections.abc import Sequence
from typing import Final

from emu.scene.tasks import Region, Status, TaskRow

STATUS: Final[dict[Status, str]] = {
    "running": "▶ running",
    "preempted": "↯ preempted",
    "ready": "▷ ready",
    "blocked": "⊘ blocked",
    "ended": "✕ ended",
}

REGION: Final[dict[Region, str]] = {
    "old": "■ old body",
    "trampoline": "◆ trampoline",
    "int3": "▲ int3 handler",
    "new": "□ new body",
    "elsewhere": "",
}

_ORDER: Final[tuple[Region, ...]] = tuple(REGION)
_REST: Final[dict[Status, int]] = {
    "running": 0, "preempted": 1, "ready": 1, "blocked": 1, "ended": 2,
}  # fmt: skip


def in_order(tasks: Sequence[TaskRow]) -> tuple[TaskRow, ...]:
    """Return the tasks: in code that the patch concerns, then running, then the others.

    Of those, the ones that a live patch waits for, and that had a core lately, come first.
    """
    return tuple(
        sorted(
            tasks,
            key=lambda task: (
                _ORDER.index(task.region),
                _REST[task.status] if task.region == "elsewhere" else 0,
                not task.blocks,
                -(task.last or 0),
                task.pid,
                task.address,
            ),
        )
    )


def standing(task: TaskRow) -> str:
    """Return the second line of a task: what it does, and where."""
    if task.status == "ended":
        return STATUS[task.status]
    waited_for = ", to go over" if task.blocks else ""
    return f"{STATUS[task.status]} at {task.place}{waited_for}"


def headline(tasks: Sequence[TaskRow]) -> str:
    """Return how many tasks stand in old code, and in a trampoline."""
    old = sum(task.region == "old" for task in tasks)
    within = sum(task.region == "trampoline" for task in tasks)
    text = f"{old} of {len(tasks)} in old code"
    text += f", {within} in a trampoline" if within else ""
    blocking = sum(task.blocks for task in tasks)
    return text + (f", {blocking} to go over" if blocking else "")


def explanation(task: TaskRow) -> str:
    """Return why a task stands where it does, whose it is, and how often it lost its core."""
    parts = [task.why]
    if task.blocks:
        parts.append("A live patch waits for it: it has yet to go over.")
    if task.core is not None and task.status not in {"running", "ended"}:
        parts.append(f"It belongs to core {task.core}.")
    if task.switches is not None:
        gave, lost = task.switches
        parts.append(f"It gave up its core {_times(gave)} and was preempted {_times(lost)}.")
    return " ".join(filter(None, parts))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times" if count else "never"
