"""Moments: what is at a time, in words; and which moment comes next."""

from typing import Final

import numpy as np

from emu.scene.lanes import Kind, Lane, Lanes, Left
from gui.timeline import arrows, bands
from gui.timeline.ruler import text_of

WORDS: Final = {
    Kind.TICK: "timer tick",
    Kind.INTERRUPT: "interrupt",
    Kind.SERIALISED: "serialises, so it fetches anew",
    Kind.SYNC: "takes the interrupt that asks it to serialise",
    Kind.STALE: "executes bytes that memory no longer holds",
    Kind.TRAP: "exception",
    Kind.INT3: "int3",
    Kind.TORN: "executes bytes that nobody wrote",
}
_LEFT: Final = {
    Left.NOT_YET: "and still has the core",
    Left.PREEMPTED: "then it was preempted",
    Left.YIELDED: "then it yielded",
    Left.BLOCKED: "then it blocked",
}


def slice_at(lane: Lane, time: int) -> int | None:
    """Return the index of the slice at a time, or None before the first."""
    index = int(np.searchsorted(lane.start, time, side="right")) - 1
    return index if index >= 0 else None


def nearest(lane: Lane, time: int, reach: int) -> int | None:
    """Return the index of the instant within so many ns: the greatest kind, then the nearest."""
    low, high = np.searchsorted(lane.time, (time - reach, time + reach + 1))
    if low == high:
        return None
    kinds = lane.kind[low:high]
    greatest = np.flatnonzero(kinds == kinds.max())
    away = np.abs(lane.time[low:high][greatest] - time)
    return int(low + greatest[int(away.argmin())])


def event_behind(lane: Lane, time: int) -> int | None:
    """Return when the next thing happens on a core, an instant or a switch, or None."""
    found = [
        int(column[index])
        for column in (lane.time, lane.start)
        if (index := int(np.searchsorted(column, time, side="right"))) < len(column)
    ]
    return min(found, default=None)


def event_before(lane: Lane, time: int) -> int | None:
    """Return when the last thing happened on a core, or None."""
    found = [
        int(column[index - 1])
        for column in (lane.time, lane.start)
        if (index := int(np.searchsorted(column, time))) > 0
    ]
    return max(found, default=None)


def int3_behind(lanes: Lanes, time: int) -> tuple[int, int] | None:
    """Return when and on which core the next int3 is executed, or None."""
    found = []
    for core, lane in enumerate(lanes.lanes):
        behind = int(np.searchsorted(lane.time, time, side="right"))
        traps = lane.kind[behind:] == Kind.INT3
        if traps.any():
            found.append((int(lane.time[behind + int(traps.argmax())]), core))
    return min(found, default=None)


def tell_slice(lanes: Lanes, core: int, time: int, precision: int) -> str:
    """Return what a core does at a time, from when to when, in one line."""
    lane, head = lanes.lanes[core], f"core {core}, {text_of(time, precision)}"
    index = slice_at(lane, time)
    if index is None or time >= lanes.end:
        return head
    begin = text_of(int(lane.start[index]), precision)
    left = Left(int(lane.left[index]))
    if left is Left.NOT_YET:
        return f"{head}: {_task(lanes, core, time)} since {begin}"
    end = text_of(int(lane.start[index + 1]), precision) if index + 1 < len(lane.start) else "?"
    text = f"{head}: {_task(lanes, core, time)} from {begin} to {end}"
    return text if int(lane.task[index]) in lanes.idle else f"{text}, {_LEFT[left]}"


def tell_instant(lanes: Lanes, core: int, index: int, precision: int) -> str:
    """Return what an instant of a core is, in one line."""
    lane = lanes.lanes[core]
    time, kind = int(lane.time[index]), Kind(int(lane.kind[index]))
    text = f"core {core}, {text_of(time, precision)}: {WORDS[kind]}"
    if kind not in {Kind.SYNC, Kind.INTERRUPT}:
        return text
    sent = lanes.arrows
    which = np.flatnonzero((sent.delivered == time) & (sent.target == core))
    if not len(which):
        return text
    source, vector = int(sent.source[which[0]]), int(sent.vector[which[0]])
    sender = f"core {source}" if source >= 0 else "the patcher"
    when = text_of(int(sent.sent[which[0]]), precision)
    return f"{text} (vector {vector:#x}, sent by {sender} at {when})"


def describe(lanes: Lanes, position: int) -> str:
    """Return in one sentence what is at a position, core by core."""
    now = bands.present(lanes.bands, position)
    phase = f", in phase {now.phase}" if now else ""
    cores = [
        f"core {core} {_does(lanes, core, position)}{_just_now(lanes.lanes[core], position)}"
        for core in range(len(lanes.lanes))
    ]
    waits = arrows.pending(lanes.arrows, position)
    if waits.any():
        targets = sorted({int(core) for core in lanes.arrows.target[waits]})
        names = ", ".join(str(core) for core in targets)
        cores.append(f"on their way are interrupts for core{'s'[: len(targets) > 1]} {names}")
    return f"At {text_of(position, 1)}{phase}: {'; '.join(cores)}."


def _does(lanes: Lanes, core: int, time: int) -> str:
    index = slice_at(lanes.lanes[core], time)
    if index is None or int(lanes.lanes[core].task[index]) < 0:
        return "runs something that the kernel does not describe"
    if int(lanes.lanes[core].task[index]) in lanes.idle:
        return "is idle"
    return f"runs {_task(lanes, core, time)}"


def _just_now(lane: Lane, time: int) -> str:
    """Return what happens on a core at exactly this time."""
    low, high = np.searchsorted(lane.time, (time, time + 1))
    words = dict.fromkeys(WORDS[Kind(int(kind))] for kind in lane.kind[low:high])
    return f" ({', '.join(words)})" if words else ""


def _task(lanes: Lanes, core: int, time: int) -> str:
    index = slice_at(lanes.lanes[core], time)
    task = -1 if index is None else int(lanes.lanes[core].task[index])
    return lanes.names[task] if task >= 0 else "a task that is not known"
