"""Events read one after another, by plain rules: what `emu.scene.chronicle` must come to as well.

It names no tasks: a slice has the address of its descriptor.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from emu.detect.watch import CALL, Watched
from emu.guest.probes import SWITCH
from emu.machine import events
from emu.machine.events import Event
from emu.machine.machine import Machine
from emu.machine.state import A_LVT_TIMER
from emu.moves.fault import DELAY_IPI, DROP_IPI
from emu.moves.plan import PHASES
from emu.scene.lanes import Kind, Left

_NMI = 4  # a delivery mode


@dataclass
class Arrow:
    sent: int
    source: int
    target: int
    vector: int
    delivered: int = -1
    acknowledged: int = -1
    held: int = 0  # until when
    lost: bool = False

    @property
    def row(self) -> tuple[int, ...]:
        return (
            self.sent, self.source, self.target, self.vector, self.delivered, self.acknowledged
        )  # fmt: skip


@dataclass
class Reading:
    """slices: of each core [begin, descriptor, left]. instants: (time, kind, number)."""

    slices: list[list[list[int]]]
    instants: list[list[tuple[int, int, int]]]
    arrows: list[Arrow] = field(default_factory=list)
    bands: list[list[object]] = field(default_factory=list)
    stores: list[int] = field(default_factory=list)


def read(machine: Machine, sync: int, watched: Sequence[Watched] = ()) -> Reading:
    """Read all events of a machine that was watched from its start on."""
    cores = range(machine.cores)
    reading = Reading([[[0, 0, 0]] for _ in cores], [[] for _ in cores])
    timers = [int(machine.state.apic[core, A_LVT_TIMER]) & 0xFF for core in cores]
    for number in range(len(machine.events)):
        event = machine.events[number]
        kind = instant(event, timers, sync, watched)
        if kind and event.core >= 0:
            reading.instants[event.core].append((event.time, kind, number))
        if event.kind == SWITCH:
            switch(reading.slices[event.core], event)
        elif event.core < 0 and event.kind == events.TEXT_STORE:
            reading.stores.append(event.time)
        elif event.kind == events.PHASE:
            if reading.bands and reading.bands[-1][2] == -1:
                reading.bands[-1][2] = event.time
            end = event.time if PHASES[event.a] == "done" else -1
            reading.bands.append([PHASES[event.a], event.time, end, event.b])
        arrow(reading.arrows, event)
    return reading


def instant(event: Event, timers: list[int], sync: int, watched: Sequence[Watched]) -> int:
    """Return what an event is to its core, 0 if nothing."""
    if event.kind == events.DELIVERED:
        if event.a == sync:
            return Kind.SYNC
        return Kind.TICK if event.a == timers[event.core] else Kind.INTERRUPT
    if event.kind == events.TRAP:
        return Kind.INT3 if event.a == 3 else Kind.TRAP
    if event.kind == events.STALE_FETCH:
        return Kind.STALE if event.b & events.FETCH_STALE else 0
    if event.kind == CALL and watched:
        code = event.b.to_bytes(8, "little", signed=True)[:5]
        legal = watched[event.a].legal
        return 0 if code in legal or code[0] == 0xCC else Kind.TORN
    return Kind.SERIALISED if event.kind == events.SERIALISED else 0


def switch(slices: list[list[int]], event: Event) -> None:
    """End a slice and begin another."""
    if len(slices) == 1:
        slices[0][1] = event.b
    assert slices[-1][1] == event.b, "another task loses the core than got it"
    if event.a & 0xFF:
        slices[-1][2] = Left.PREEMPTED
    else:
        slices[-1][2] = Left.BLOCKED if event.stack & 0xFFFFFFFF else Left.YIELDED
    slices.append([event.time, event.task, Left.NOT_YET])


def arrow(arrows: list[Arrow], event: Event) -> None:
    """Let something happen to the interrupts under way; `held` ones are pending again by time."""
    if event.kind == events.IPI:
        if event.b == _NMI or (event.b in (0, 1) and event.address >= 16):
            vector = 2 if event.b == _NMI else event.address
            to = [core for core in range(8) if event.a >> core & 1]
            arrows += [Arrow(event.time, event.core, core, vector) for core in to]
        return
    for each in arrows:
        if each.target == event.core and not each.lost:
            _heed(each, event)


def _heed(arrow: Arrow, event: Event) -> None:
    asks = arrow.delivered < 0 and arrow.held <= event.time
    if event.kind == events.DELIVERED and arrow.vector == event.a and asks:
        arrow.delivered = event.time
    elif arrow.vector != event.address:
        return
    elif event.kind == events.ACKNOWLEDGED and arrow.delivered >= 0 and arrow.acknowledged < 0:
        arrow.acknowledged = event.time
    elif event.kind == events.FAULT and event.a in (DROP_IPI, DELAY_IPI) and asks:
        arrow.lost = event.a == DROP_IPI
        arrow.held = event.time + event.b
