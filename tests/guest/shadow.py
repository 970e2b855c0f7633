"""A call log that owes nothing to call frame information: calls, returns, interrupts and switches.

From the fetches of all cores and the events beside them: a call pushes the address behind it, a
return pops; an interrupt or exception pushes where it came; IRET and SYSRET pop; SYSCALL pushes;
where the kernel switches stacks, the log of one stack is put away and that of another taken up.
Each pop is compared with where the core really went on, so the log is checked while it is made.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emu.guest.code import RESUME
from emu.image.disasm import decode_one
from emu.image.elf import ElfImage
from emu.image.types import ArrayType
from emu.machine import events
from emu.machine.decode import LONG
from emu.machine.fetches import Fetches
from emu.machine.machine import Machine
from emu.machine.probes import Probe
from emu.machine.state import E_A, E_ADDRESS, E_CORE, E_KIND, E_STACK
from emu.machine.unicorn_layout import IDT, SEGMENT_BASE

WORD = (1 << 64) - 1
SWITCH, RESUMED = events.PROBE + 100, events.PROBE + 101
BREAKPOINT = 3
_SYSTEM_CALL = 256  # stands for a vector
_SAVED = 6 * 8  # bytes that switch_to saves on the stack before it leaves it

NOTHING, CALL, RETURN, IRET, SYSCALL, SYSRET, DROP, AWAY = range(8)
_MNEMONICS = {
    "call": CALL, "ret": RETURN, "iretq": IRET, "syscall": SYSCALL, "sysret": SYSRET,
    "sysretq": SYSRET,
}  # fmt: skip


class Entry(NamedTuple):
    """Where a frame goes on. pc: None if the log does not know. vector: of what interrupted it."""

    pc: int | None
    vector: int | None = None


Log = list[Entry]


@dataclass
class Core:
    """What is known of a core. low: of the stack it is on, None just after a switch."""

    log: Log = field(default_factory=list)
    low: int | None = -1
    events: deque[tuple[int, int, int]] = field(default_factory=deque)  # kind or vector, pc, stack
    begins: bool = False  # it is in the first switch to a task
    early: bool = False  # an interrupt was pushed before its handler was fetched
    calls: dict[int, Log] = field(default_factory=dict)  # of ring 3, by where SYSCALL goes on


class Shadow:
    """The log of a machine that was just switched on with the toy kernel, and is traced now.

    Attributes:
        resume: the address where a task without a core goes on.
        trampolines: addresses of the patcher's, of `lea rsp, [rsp + 8]; jmp`.
    """

    def __init__(self, machine: Machine, image: ElfImage) -> None:
        self._machine = machine
        self.resume = image.symbols[RESUME].address
        switch = image.symbols["switch_to"]
        self._switch, self._switch_end = switch.address, switch.address + switch.size
        self._fork = image.symbols["ret_from_fork"].address
        self._functions = frozenset(each.address for each in image.symbols if each.kind == "func")
        self.trampolines: frozenset[int] = frozenset()
        tasks, stacks = image.types.variable("tasks"), image.symbols["stacks"]
        assert isinstance(tasks, ArrayType)
        assert tasks.count
        self._first, self._size = stacks.address, stacks.size // tasks.count
        self._cores = [Core() for _ in range(machine.cores)]
        self._stacks: dict[int, tuple[int, Log]] = {}  # by low: RSP when it was left, and its log
        self._events = len(machine.events)
        self._entries: frozenset[int] = frozenset()
        self._kinds: dict[bytes, int] = {}
        machine.set_probes(
            [
                Probe(_physical(image, self._switch), SWITCH),
                Probe(_physical(image, self.resume), RESUMED),
            ]
        )
        machine.trace()

    def standing(self, pcs: list[int], sps: list[int]) -> dict[int, int]:
        """Return the core that is on each stack, by the stack's lowest byte, at a stop.

        pcs, sps: RIP and RSP of all cores. They tell what no fetch has told yet: an interrupt
        whose handler is still to begin, and where a core is that has just switched stacks.
        """
        found = {}
        for number, core in enumerate(self._cores):
            self._arrive(core, sps[number])
            if pcs[number] in self._entries and core.events and not core.early:
                self._interrupt(core)
                core.early = True
            assert core.low is not None
            found[core.low] = number
        return found

    def log(self, low: int, sp: int | None, core: int | None) -> Log | None:
        """Return the log of a stack; None if its task never had a core, or has just got its first.

        sp: as the task has it. core: that is on the stack.
        """
        if core is not None:
            return None if self._cores[core].begins else self._cores[core].log
        left, log = self._stacks.get(low, (0, []))
        return log if left == sp else None

    # --- taking over what happened -------------------------------------------------------------

    def follow(self, stops: list[tuple[int, Callable[[], None]]]) -> None:
        """Take over what happened since the last time.

        stops: (instructions retired by all cores, what is called when the log is there), in order.
        """
        self._take_events()
        self._entries = frozenset(self._gates())
        fetches = self._machine.fetches
        rows, nexts = self._interesting(fetches)
        left = deque(stops)
        for number, core, address, length, kind, goes_on in zip(*rows, nexts, strict=True):
            while left and left[0][0] <= number:
                left.popleft()[1]()
            self._fetch(self._cores[core], address, length, kind, goes_on)
        for _, look in left:
            look()
        self._machine.trace()

    def _take_events(self) -> None:
        rows = self._machine.events.since(self._events)
        self._events = len(self._machine.events)
        for row in rows:
            kind = int(row[E_KIND])
            if kind in (events.TRAP, events.DELIVERED, SWITCH, RESUMED):
                what = int(row[E_A]) if kind < events.PROBE else kind
                pc, stack = int(row[E_ADDRESS]) & WORD, int(row[E_STACK]) & WORD
                self._cores[int(row[E_CORE])].events.append((what, pc, stack))

    def _gates(self) -> list[int]:
        """Return the entries of the interrupt descriptor table of core 0."""
        base = self._machine.register(0, IDT + SEGMENT_BASE)
        found = []
        for vector in range(256):
            at = self._machine.translate(base + 16 * vector)
            gate = int.from_bytes(self._machine.read(at, 16), "little") if at is not None else 0
            low, middle, high = gate & 0xFFFF, gate >> 48 & 0xFFFF, gate >> 64 & 0xFFFFFFFF
            if gate >> 47 & 1:
                found.append(high << 32 | middle << 16 | low)
        return found

    def _interesting(self, fetches: Fetches) -> tuple[list[list[int]], list[int]]:
        """Return columns of the fetches that matter, and where their cores went on."""
        table = fetches.instructions
        kinds = np.array([self._kind(row) for row in table], np.int64)
        executed: NDArray[np.int64] = fetches._executed
        addresses = table["address"].astype(np.uint64)
        wanted = kinds != NOTHING
        for address in (*self._entries, self.resume, self._switch):
            wanted |= addresses == np.uint64(address)
        cores = fetches.column("core").astype(np.int64)
        nexts = np.zeros(len(executed), np.uint64)
        for core in range(len(self._cores)):
            where = np.flatnonzero(cores == core)
            if len(where):
                nexts[where[:-1]] = addresses[executed[where[1:]]]
                nexts[where[-1]] = np.uint64(self._machine.rip(core))
        mine = np.flatnonzero(wanted[executed])
        numbers = fetches.column("number")[mine]
        chosen = executed[mine]
        columns = [
            numbers.tolist(),
            cores[mine].tolist(),
            addresses[chosen].tolist(),
            table["length"][chosen].tolist(),
            kinds[chosen].tolist(),
        ]
        return columns, nexts[mine].tolist()

    def _kind(self, row: np.void) -> int:
        """Return what an instruction does to the log."""
        address, length = int(row["address"]), int(row["length"])
        if row["mode"] != LONG:
            return NOTHING
        if address + length == self.resume:
            return AWAY
        code = row["code"][:length].tobytes()
        if code == bytes.fromhex("488d642408"):
            return DROP
        if code not in self._kinds:
            self._kinds[code] = _MNEMONICS.get(decode_one(code, 0).mnemonic, NOTHING)
        return self._kinds[code]

    # --- one fetch -----------------------------------------------------------------------------

    def _fetch(self, core: Core, address: int, length: int, kind: int, goes_on: int) -> None:
        if address in self._entries:
            if not core.early:
                self._interrupt(core)
            core.early = False
        elif address in (self._switch, self.resume):
            self._note_stack(core, address)
        if kind == AWAY:
            core.low, core.log = None, []
        elif kind == CALL:
            core.log.append(Entry(address + length))
        elif kind == DROP and address in self.trampolines:
            core.log.pop()
        elif kind == SYSCALL:
            core.calls[address + length] = list(core.log)
            core.log.append(Entry(address + length, _SYSTEM_CALL))
        elif kind in (RETURN, IRET, SYSRET):
            self._back(core, address, goes_on)

    def _note_stack(self, core: Core, address: int) -> None:
        """Put away the log of the stack that is left, or take up that of the new one."""
        what, _, stack = core.events.popleft()
        if address == self.resume:
            assert what == RESUMED
            self._arrive(core, stack)
            return
        assert what == SWITCH
        low = self._low(stack)
        assert core.low in (-1, low), "the log is on another stack"
        core.low = low
        self._stacks[low] = stack - _SAVED, core.log

    def _interrupt(self, core: Core) -> None:
        vector, pc, _ = core.events.popleft()
        assert vector < events.PROBE
        core.log.append(Entry(pc, vector))

    def _arrive(self, core: Core, stack: int) -> None:
        """Take up the log of the stack that a core has switched to, if it just has."""
        if core.low is None:
            core.low = self._low(stack)
            left, core.log = self._stacks.get(core.low, (0, []))
            if left != stack:
                core.log, core.begins = [], True  # what was there is another task's

    def _back(self, core: Core, address: int, goes_on: int) -> None:
        """Pop the entry that a return, IRET or SYSRET goes back to."""
        if core.begins:
            assert self._switch <= address < self._switch_end
            core.begins = False
            core.log = [Entry(None, _SYSTEM_CALL)] if goes_on == self._fork else []
            return
        entry = core.log.pop()
        if goes_on in self._entries and core.events:
            goes_on = core.events[0][1]  # interrupted before it had executed anything there
        if entry.pc == goes_on:
            return
        if entry.vector == BREAKPOINT:
            assert entry.pc is not None
            if goes_on in self.trampolines:
                core.log.append(Entry(entry.pc + 4))
            else:
                assert goes_on == entry.pc + 4
            return
        assert entry.vector is not None, f"{address:#x} goes to {goes_on:#x}, not {entry.pc:#x}"
        assert goes_on < 1 << 47, "an interrupt goes back to another place of the kernel"
        core.log = (
            [] if goes_on in self._functions else list(core.calls.get(goes_on, [Entry(None)]))
        )

    def _low(self, stack: int) -> int:
        """Return the lowest byte of the stack that RSP is in; an empty one belongs to its end."""
        return self._first + (stack - 1 - self._first) // self._size * self._size


def _physical(image: ElfImage, address: int) -> int:
    """Return where a link address is loaded."""
    for segment in image.boot_image.segments:
        base = image.link_address(segment.paddr)
        if base is not None and 0 <= address - base < segment.memsz:
            return segment.paddr + address - base
    raise AssertionError(hex(address))
