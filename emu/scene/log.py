"""The log: what happened, a line an event, put into words when somebody looks at it.

A `Log` is a value: a window may show any of its lines while the machine runs on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.detect.watch import CALL, NEW, OLD, UNHANDLED
from emu.guest.probes import SWITCH
from emu.image.elf import ElfImage
from emu.image.placed import Placed
from emu.machine import events
from emu.machine.events import Event
from emu.machine.xapic_messages import INIT, NMI, STARTUP
from emu.moves.fault import DELAY_IPI, DROP_IPI
from emu.moves.plan import PHASES
from emu.scene import log_words
from emu.scene.lanes import Column
from emu.scene.loaded_code import LoadedCode, look_for
from emu.scene.table import Table
from emu.timeline import vectors

_FIELDS = ("time", "core", "kind", "address", "a", "b", "task", "stack")  # as in `Event`
_WORD = (1 << 64) - 1
_BREAKPOINT, _NMI_VECTOR = 3, 2

KINDS: Final = {
    events.TEXT_STORE: "store",
    events.TRAP: "trap",
    events.IPI: "IPI",
    events.DELIVERED: "interrupt",
    events.STALE_FETCH: "fetch",
    events.PHASE: "phase",
    events.SERIALISED: "serialised",
    events.ACKNOWLEDGED: "served",
    events.FAULT: "fault",
    CALL: "call",
    OLD: "old body",
    NEW: "new body",
    UNHANDLED: "unhandled",
    SWITCH: "switch",
    **log_words.WORDS,
}
"""One word for each kind of event."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """An event in words. time: virtual ns. core: -1: the patcher. kind: of `KINDS`."""

    time: int
    core: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Events.

    Attributes:
        first: the number of the oldest event that is there.
        columns: of `Event`, and "name": of a switch, the index of the task that it leads to; of
            others that are about a task, its index; of an INT3, the address of the int3.
        names: of tasks. functions: that are watched, by number.
        image: the kernel. placed: what was put into it. loaded: what code it had besides, when.
    """

    first: int
    columns: dict[str, NDArray[np.int64]]
    names: tuple[str, ...]
    functions: tuple[str, ...]
    image: ElfImage
    placed: Sequence[Placed] = ()
    loaded: Sequence[LoadedCode] = ()

    @property
    def rows(self) -> int:
        """How many lines there are."""
        return len(self.columns["time"])

    def event(self, index: int) -> Event:
        """Return the event of a line, 0 for the first."""
        return Event(self.first + index, *(int(self.columns[name][index]) for name in _FIELDS))

    def line(self, index: int) -> LogLine:
        """Return a line, 0 for the first."""
        event = self.event(index)
        kind = KINDS.get(event.kind, f"event {event.kind}")
        say = _SAYS.get(event.kind)
        text = say(self, event, int(self.columns["name"][index])) if say else ""
        return LogLine(event.time, event.core, kind, text)

    def place(self, address: int, event: Event | None = None) -> str:
        """Return what an address of code is called; event: as it was when that came."""
        address &= _WORD
        for each in self.placed:
            if address in each:
                return each.describe(address)
        look = None if self.image.is_executable(address) else self._look(event)
        found = None if look is None else look.describe(address)
        return self.image.symbols.describe(address) if found is None else found

    def stored(self, event: Event) -> str:
        """Return what the physical address of a store to text is called."""
        physical = event.address
        virtual = self.image.link_address(physical)
        look = self._look(event)
        if virtual is None and look is not None:
            virtual = look.virtual(physical)
        return f"physical {physical:#x}" if virtual is None else self.place(virtual, event)

    def _look(self, event: Event | None) -> LoadedCode | None:
        if event is None:
            return self.loaded[-1] if self.loaded else None
        return look_for(self.loaded, event.index)

    def task(self, address: int, name: int) -> str:
        """Return the name of a task. name: its index, or -1 if nobody knows it."""
        return self.names[name] if name >= 0 else f"the task at {address & _WORD:#x}"

    def function(self, number: int) -> str:
        """Return the name of a watched function."""
        return self.functions[number] if number < len(self.functions) else f"function {number}"


class LogTable:
    """The events so far. limit: of those that are kept."""

    def __init__(self, image: ElfImage, limit: int) -> None:
        self._image, self._offset = image, 0
        self._table = Table(dict.fromkeys((*_FIELDS, "name"), np.int64), limit)

    def take(self, first: int, columns: NDArray[np.int64], names: Column) -> None:
        """Append events, the first of which has this number.

        columns: int64 [8, n], a row for each column of `Event`. names: as in `Log`.
        """
        if not len(self._table):
            self._offset = first
        named = dict(zip(_FIELDS, columns, strict=True))
        self._table.append(len(names), **named, name=names)

    def log(
        self,
        names: tuple[str, ...],
        functions: tuple[str, ...],
        placed: Sequence[Placed],
        loaded: Sequence[LoadedCode],
    ) -> Log:
        """Return them as they are now."""
        columns = {name: self._table[name] for name in (*_FIELDS, "name")}
        first = self._offset + self._table.first if len(self._table) else 0
        seen = tuple(placed), tuple(loaded)
        return Log(first, columns, names, functions, self._image, *seen)


# --- in words ----------------------------------------------------------------------------------


def _bytes(word: int, count: int) -> str:
    return (word & _WORD).to_bytes(8, "little")[:count].hex(" ")


def _cores(mask: int) -> str:
    numbers = [str(core) for core in range(8) if mask >> core & 1]
    if not numbers:
        return "nobody"
    return f"core{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"


def _store(log: Log, event: Event, _name: int) -> str:
    old, new = (_bytes(word, event.task) for word in (event.a, event.b))
    return f"{log.stored(event)}: {old} becomes {new}"


def _trap(log: Log, event: Event, _name: int) -> str:
    at = event.address - (event.a == _BREAKPOINT)  # behind an int3
    code = vectors.error(event.a, event.b)
    return f"{vectors.name(event.a)} at {log.place(at, event)}" + (f", {code}" if code else "")


def _ipi(_log: Log, event: Event, _name: int) -> str:
    if event.b == INIT:
        what = "INIT"
    elif event.b == STARTUP:
        what = f"start-up at {event.address << 12:#x}"
    else:
        what = vectors.name(_NMI_VECTOR if event.b == NMI else event.address)
    return f"{what} to {_cores(event.a)}"


def _delivered(log: Log, event: Event, _name: int) -> str:
    return f"{vectors.name(event.a)} at {log.place(event.address, event)}"


def _fetched(log: Log, event: Event, _name: int) -> str:
    text = f"{_bytes(event.a, event.b >> 8)} executed at {log.place(event.address, event)}"
    if event.b & events.FETCH_STALE:
        text += ", which memory no longer holds"
    return text + (", against the rule of the manual" if event.b & events.FETCH_HAZARD else "")


def _phase(_log: Log, event: Event, _name: int) -> str:
    if event.core >= 0:  # a kernel that patches itself
        sites = "1 site" if event.task == 1 else f"{event.task} sites"
        return f"{PHASES[event.a]}: {sites}" if event.a == 0 else PHASES[event.a]
    return f"{PHASES[event.a]}, request {event.b}"


def _serialised(log: Log, event: Event, _name: int) -> str:
    return f"by the instruction at {log.place(event.address, event)}"


def _served(_log: Log, event: Event, _name: int) -> str:
    return vectors.name(event.address)


def _fault(_log: Log, event: Event, _name: int) -> str:
    if event.a == DROP_IPI:
        return f"{vectors.name(event.address)} is lost"
    if event.a == DELAY_IPI:
        return f"{vectors.name(event.address)} is held back for {event.b} ns"
    return "the next IPI will not make it fetch anew"


def _call(log: Log, event: Event, _name: int) -> str:
    return f"{log.function(event.a)}: {_bytes(event.b, 5)} executed"


def _body(log: Log, event: Event, _name: int) -> str:
    return f"{log.function(event.a)}: at {log.place(event.address, event)}"


def _unhandled(_log: Log, _event: Event, _name: int) -> str:
    return "the kernel gives up on an int3"


def _switch(log: Log, event: Event, name: int) -> str:
    to = log.task(event.task, name)
    if event.a & 0xFF:
        return f"to {to}; the core was taken from the task before"
    could_go_on = event.stack & 0xFFFFFFFF == 0
    return f"to {to}; the task before {'gave up the core' if could_go_on else 'waits or has ended'}"


_SAYS: Final[dict[int, Callable[[Log, Event, int], str]]] = {
    events.TEXT_STORE: _store,
    events.TRAP: _trap,
    events.IPI: _ipi,
    events.DELIVERED: _delivered,
    events.STALE_FETCH: _fetched,
    events.PHASE: _phase,
    events.SERIALISED: _serialised,
    events.ACKNOWLEDGED: _served,
    events.FAULT: _fault,
    CALL: _call,
    OLD: _body,
    NEW: _body,
    UNHANDLED: _unhandled,
    SWITCH: _switch,
    **log_words.SAYS,
}
