"""What must be so for each sentence of a narrator, said once more and without its code.

A sentence is looked up among the patterns below; the one that it is says what has to hold. Where
the narrator reads a state, this reads events and memory, or the other way round: who is in the
int3 handler and on which way a core goes on is told here by what the core did next, what a core may
fetch by trying every time at which each byte might be seen.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from emu.detect.effect import harmful
from emu.detect.watch import CALL, NEW, OLD, UNHANDLED
from emu.image.disasm import decode_one
from emu.lab import Lab
from emu.machine import events
from emu.machine import state as st
from emu.machine.engines import COMPILED, engine_called
from emu.machine.events import Event
from emu.machine.text import COHERENT, INTEL2010, OBSERVED
from emu.moves.plan import PHASES, Change, Ipi, Phase, Store, Wait
from emu.patch.redirect import Redirect
from emu.patch.text_poke import NOP5
from emu.scene.scene import Scene

INT3 = 0xCC
HANDLER = ("asm_exc_int3", "exc_int3", "poke_int3_handler", "int3_vanished")
_ARRIVALS = (OLD, NEW)
_BY_PROMISE = {True: NEW, False: OLD, None: CALL}
_OWN = (events.TRAP, events.DELIVERED, CALL, OLD, NEW, UNHANDLED)


@dataclass
class Promise:
    """A core was said to be on a way: after event `number`, with this stack, to a body.

    new: to a replacement; None: to the site once more.
    """

    number: int
    stack: int
    new: bool | None


@dataclass
class Run:
    """A run that is walked. promises: what sentences said of what is to come."""

    lab: Lab
    redirects: Sequence[Redirect]
    promises: list[Promise] = field(default_factory=list)
    _index: int = 0
    _own: dict[int, list[Event]] = field(default_factory=dict)  # by core
    _kinds: dict[int, list[Event]] = field(default_factory=dict)
    _torn: list[Event] = field(default_factory=list)

    def own(self, core: int) -> list[Event]:
        """Return what happened on a core so far."""
        self._follow()
        return self._own.get(core, [])

    def all(self, kind: int) -> list[Event]:
        """Return the events of a kind so far."""
        self._follow()
        return self._kinds.get(kind, [])

    def torn(self) -> list[Event]:
        """Return the calls so far whose bytes nobody wrote."""
        self._follow()
        return self._torn

    def _follow(self) -> None:
        log = self.lab.machine.events
        while self._index < len(log):
            event = log[self._index]
            self._own.setdefault(event.core, []).append(event)
            self._kinds.setdefault(event.kind, []).append(event)
            if event.kind == CALL and self._is_torn(event):
                self._torn.append(event)
            self._index += 1

    def _is_torn(self, event: Event) -> bool:
        code, here = executed(event), self.redirects[event.a].site
        legal = [NOP5, *(r.call for r in self.redirects if r.site == here)]
        return code[0] != INT3 and code not in legal

    def keep_promises(self) -> int:
        """Assert that everybody came to where it was said; returns how many did."""
        log, kept = self.lab.machine.events, 0
        for promise in self.promises:
            for number in range(promise.number, len(log)):
                event = log[number]
                if event.kind in (CALL, *_ARRIVALS) and event.stack == promise.stack:
                    assert event.kind == _BY_PROMISE[promise.new], (promise, event)
                    kept += 1
                    break
        return kept


def executed(call: Event) -> bytes:
    """Return the bytes that a core executed at a site."""
    return call.b.to_bytes(8, "little", signed=True)[:5]


class Facts:
    """A moment."""

    def __init__(self, run: Run, scene: Scene) -> None:
        self.run, self.scene, self.lab = run, scene, run.lab
        self.machine, self.patcher = run.lab.machine, run.lab.patcher
        self.actor: int | None = None  # who the sentences before were about
        self.started = [c for c in range(self.machine.cores) if self.machine.started(c)]
        asked = {} if run.lab.detectors is None else run.lab.detectors.plans
        self.plan = run.lab.patcher.plan or asked.get(run.lab.patcher.requests)
        self.site = run.redirects[0].site if self.plan is None else self.plan.changes[0].address
        self.function = self.name(self.site)
        self.memory = self.lab.guest.read(self.site, 5)

    def acts(self, core: int) -> bool:
        """Return whether a core is who the story is about, which a failure may be, too."""
        self.actor = core
        return self.scene.failure is not None or self.scene.actor == core

    # --- the plan --------------------------------------------------------------------------------

    @property
    def change(self) -> Change:
        assert self.plan is not None
        return self.plan.changes[0]

    @property
    def idle(self) -> bool:
        return self.patcher.plan is None

    @property
    def steps(self) -> list[Any]:
        """The steps of the group the patcher is in, and how many are done."""
        assert self.patcher.plan is not None
        return list(self.patcher.plan.steps)

    def name(self, site: int) -> str:
        return next(r.function for r in self.run.redirects if r.site == site)

    def in_phase(self, *names: str) -> bool:
        """Return whether the last event of a phase was of one of these, and of this plan."""
        last = self.run.all(events.PHASE)[-1:]
        return any(e.b == self.patcher.requests and PHASES[e.a] in names for e in last)

    def all_old(self) -> bool:
        assert self.plan is not None
        return all(self.lab.guest.read(c.address, 5) == c.old for c in self.plan.changes)

    def stores(self, done: str | None, total: str | None, *, text: bool) -> bool:
        """Return whether so many of so many stores of the phase are done."""
        steps, index = self.steps, self.patcher.index
        begin = index
        while begin and not isinstance(steps[begin - 1], Phase):
            begin -= 1
        end = index
        while end < len(steps) and not isinstance(steps[end], Phase):
            end += 1
        assert self.plan is not None
        sites = [range(c.address, c.address + 5) for c in self.plan.changes]
        counted = [
            at
            for at in range(begin, end)
            if isinstance(steps[at], Store)
            and (not text or any(steps[at].address in site for site in sites))
        ]
        made = sum(at < index for at in counted)
        return (made, len(counted)) == (int(done or 0), int(total or len(counted)))

    def stored(self) -> int:
        """Return how many sites have what the phase stores, as memory says."""
        assert self.plan is not None
        found = 0
        for change in self.plan.changes:
            memory = self.lab.guest.read(change.address, 5)
            match self.scene.phase:
                case "int3":
                    found += memory[0] == INT3
                case "tail":
                    found += memory[1:] == change.new[1:]
                case "head":
                    found += memory[0] == change.new[0]
        return found

    # --- memory ----------------------------------------------------------------------------------

    def symbol(self, name: str) -> int:
        return self.lab.image.symbols[name].address

    def word(self, address: int) -> int:
        return int.from_bytes(self.lab.guest.read(address, 4), "little")

    @property
    def refs(self) -> int:
        return self.word(self.symbol("bp_desc") + 12)

    def pending(self) -> list[int]:
        base = self.symbol("sync_core_pending")
        return [core for core in range(self.machine.cores) if self.word(base + 4 * core)]

    def entry(self, site: int) -> tuple[int, int] | None:
        """Return (opcode, disp) of a site that the handler finds: of one or two entries."""
        count = self.word(self.symbol("bp_desc") + 8)
        data = self.lab.guest.read(self.symbol("tp_vec"), 16 * count)
        entries = [data[at : at + 16] for at in range(0, len(data), 16)]
        wanted = (site - self.symbol("_stext")).to_bytes(4, "little", signed=True)
        found = [at for at, entry in enumerate(entries) if entry[:4] == wanted]
        offsets = [int.from_bytes(entry[:4], "little", signed=True) for entry in entries]
        middle = len(entries) >> 1
        if not found or (offsets != sorted(offsets) and found[0] != middle):
            return None
        entry = entries[found[0]]
        return entry[9], int.from_bytes(entry[4:8], "little", signed=True)

    # --- cores -----------------------------------------------------------------------------------

    def cores(self, text: str) -> list[int]:
        if text.lower() == "all cores":
            return self.started
        return [int(number) for number in re.findall(r"\d+", text)]

    def off(self, core: int) -> bool:
        return not self.machine.standing(core).rflags >> 9 & 1

    def trap(self, core: int) -> Event | None:
        """Return the int3 that a core has trapped on last and is still at, None if it is not."""
        own = [e for e in self.run.own(core) if e.kind in _OWN]
        if own and own[-1].kind == UNHANDLED:  # the kernel dies in it
            del own[-1]
        last = own[-1] if own else None
        behind = {r.site + 1 for r in self.run.redirects}
        trapped = last is not None and last.kind == events.TRAP and last.a == 3
        if not (last and trapped and last.address % 2**64 in behind and self.off(core)):
            return None
        return last

    def in_handler(self, core: int) -> bool:
        found = self.lab.image.symbols.at(self.machine.rip(core))
        return found is not None and found[0].name in HANDLER and self.trap(core) is not None

    def trapped_at(self, core: int, function: str) -> bool:
        trap = self.trap(core)
        return trap is not None and self.name(trap.address % 2**64 - 1) == function

    def promise(self, core: int, *, new: bool) -> bool:
        call = next(e for e in reversed(self.run.own(core)) if e.kind == CALL)
        into = self.change.new != NOP5
        self.run.promises.append(
            Promise(len(self.machine.events), call.stack, into if new else not into)
        )
        return True

    def last(self, core: int, kinds: Sequence[int], vector: int | None = None) -> int:
        """Return the number of the last event of these kinds on a core; -1: none."""
        for event in reversed(self.run.own(core)):
            if event.kind in kinds and vector in (None, event.a, event.address):
                return event.index
        return -1

    def asked(self, core: int) -> tuple[int, int, int]:
        """Return the numbers of the last request, delivery and acknowledgement of the sync."""
        vector = self.lab.guest.read(self.symbol("sync_core_vector"), 1)[0]
        sent = [
            e.index
            for e in self.run.own(-1)
            if e.kind == events.IPI and e.address == vector and e.a >> core & 1
        ]
        taken = self.last(core, (events.DELIVERED,), vector)
        return sent[-1] if sent else -1, taken, self.last(core, (events.ACKNOWLEDGED,), vector)

    def on_its_way(self, core: int) -> bool:
        sent, taken, _ = self.asked(core)
        return core in self.pending() and sent > taken

    def serving(self, core: int) -> bool:
        sent, taken, ended = self.asked(core)
        return core in self.pending() and taken > sent and taken > ended

    def held_back(self, core: int) -> bool:
        """Return whether a fault holds the interrupt back, and the core has not taken it since."""
        vector = self.lab.guest.read(self.symbol("sync_core_vector"), 1)[0]
        held = [e.index for e in self.run.own(core) if e.kind == events.FAULT]
        faults = [e for e in self.run.own(core) if e.kind == events.FAULT and e.address == vector]
        return self.on_its_way(core) and bool(held) and faults[-1].index > self.asked(core)[0]

    def begins_anew(self) -> bool:
        """Return whether the actor's next call is that of the int3 once more, a promise."""
        assert self.actor is not None
        trap = self.trap(self.actor)
        call = next(e for e in reversed(self.run.own(self.actor)) if e.kind == CALL)
        self.run.promises.append(Promise(len(self.machine.events), call.stack, None))
        return trap is not None and "int3=6.1" in self.machine.command_line

    def in_trampoline(self, core: int, function: str) -> bool:
        begins = [r.trampoline for r in self.run.redirects if r.function == function]
        return any(begin <= self.machine.rip(core) < begin + 10 for begin in begins)

    # --- fetches ---------------------------------------------------------------------------------

    def fetchable(self, core: int) -> frozenset[bytes]:
        """Return all that a core may fetch at the first site, by trying all times."""
        state = self.machine.state
        model = int(state.m[st.M_MODEL])
        if model == COHERENT:
            return frozenset({self.memory})
        text = engine_called(COMPILED).text
        physical = [self.lab.guest.physical(self.site + at) for at in range(5)]
        now = int(state.m[st.M_TEXT_NOW])
        floors = [int(text.byte_floor(state, core, at)) for at in physical]
        rows = state.history[: state.m[st.M_HISTORY]]
        near = {int(r[st.H_TIME]) for r in rows if abs(int(r[st.H_ADDRESS]) - physical[0]) < 16}
        times = sorted({now, *floors, *(t for t in near if t > min(floors))})
        values = {(at, t): int(text.byte_at(state, at, t)) for at in physical for t in times}
        found = set()
        for chosen in itertools.product(times, repeat=5):
            if any(t < floor for t, floor in zip(chosen, floors, strict=True)):
                continue
            if model == INTEL2010 and list(chosen) != sorted(chosen):
                continue
            words = {at >> 3: t for at, t in zip(physical, chosen, strict=True)}
            if model == OBSERVED and any(
                words[at >> 3] != t for at, t in zip(physical, chosen, strict=True)
            ):
                continue
            found.add(bytes(values[at, t] for at, t in zip(physical, chosen, strict=True)))
        return frozenset(found)

    def kinds(self, core: int) -> set[str]:
        """Return what of each kind a core may fetch."""
        found = set()
        for code in self.fetchable(core):
            if code == self.change.old:
                found.add("the old instruction")
            elif code == self.change.new:
                found.add("the new instruction")
            else:
                found.add("the int3" if code[0] == INT3 else "torn")
        return found

    def may_fetch(self, who: str, what: str) -> bool:
        cores = self.cores(who)
        said = set(re.split(r", | or ", what))
        every = set[str]().union(*(self.kinds(core) for core in cores))
        return said == every and all(self.fetchable(c) != {self.memory} for c in cores)

    def may_hold(self, who: str) -> bool:
        sets = [self.fetchable(core) for core in self.cores(who)]
        return all(len(codes) > 1 and all(code[0] == INT3 for code in codes) for codes in sets)

    def nobody_behind(self) -> bool:
        return all(self.fetchable(core) == {self.memory} for core in self.started)

    # --- failures --------------------------------------------------------------------------------

    def first(self, found: Sequence[Event]) -> Event | None:
        """Return the first of some events, if the scene is to know it."""
        known = (e for e in found if e.time < self.machine.now or not self.machine.alive)
        return next(known, None)

    def first_torn(self) -> Event | None:
        return self.first(self.run.torn())

    def at(self, event: Event) -> int:
        return self.run.redirects[event.a].site

    def torn(self, core: str, code: str, function: str, became: str | None) -> bool:
        event = self.first_torn()
        if event is None:
            return False
        bytes_, site = executed(event), self.at(event)
        decoded = decode_one(bytes_ + self.lab.guest.read(site + 5, 10), site)
        text, _, taken = (became or "(bad)").partition(", with ")
        more = int(taken.split()[0]) if taken else 0
        who = (event.core, bytes_.hex(" "), self.name(site))
        as_told = decoded.mnemonic == text.split()[0] and max(len(decoded.bytes) - 5, 0) == more
        return who == (int(core), code, function) and (as_told or became is None)

    def harmful(self) -> bool:
        event = self.first_torn()
        assert event is not None
        site = self.at(event)
        legal = (NOP5, *(r.call for r in self.run.redirects if r.site == site))
        return harmful(executed(event), legal, site)

    def unhandled(self, core: int, function: str) -> bool:
        found = self.first(self.run.all(UNHANDLED))
        trap = self.trap_before(core)
        return (
            found is not None
            and found.core == core
            and trap is not None
            and self.name(trap.address % 2**64 - 1) == function
        )

    def trap_before(self, core: int) -> Event | None:
        traps = (e for e in reversed(self.run.own(core)) if e.kind == events.TRAP and e.a == 3)
        return next(traps, None)

    def hazard(self, core: int, function: str) -> bool:
        found = self.first(
            [e for e in self.run.all(events.STALE_FETCH) if e.b & events.FETCH_HAZARD]
        )
        return (
            found is not None
            and found.core == core
            and self.name(found.address % 2**64) == function
        )

    def late(self, core: int) -> bool:
        failure = self.scene.failure
        assert failure is not None
        arrived = [
            e
            for e in self.run.own(core)
            if e.kind in _ARRIVALS and e.time == failure.time < self.machine.now
        ]
        return bool(arrived) and self.lab.verdict().late > 0


Truth = Callable[[Facts, re.Match[str]], bool]
WHO = r"(all cores|cores? [\d, and]*\d)"

TRUTHS: list[tuple[str, Truth]] = [
    # nothing going on
    (r"(\w+) is as it was: nothing is being patched",
     lambda f, m: f.idle and f.memory == NOP5 and m[1] == f.function),
    (r"Its first (\d+) bytes are to become another instruction",
     lambda f, m: f.idle and all(int(m[1]) == len(r.call) for r in f.run.redirects)),
    (r"Were they just overwritten, a core could execute a mixture of the two",
     lambda f, _: f.idle and sum(
         a != b for a, b in zip(NOP5, f.run.redirects[0].call, strict=True)) > 1),
    (r"The function is given back: its new instruction is the nop it had",
     lambda f, _: f.plan is not None and all(c.new == NOP5 for c in f.plan.changes)),
    (r"The patcher does nothing", lambda f, _: f.idle and f.memory != NOP5),
    (r"The patcher is done: at (\w+) memory holds the new instruction",
     lambda f, m: f.idle and f.in_phase("done") and f.memory == f.change.new
     and m[1] == f.function),
    (r"The patcher is done, but at (\w+) memory does not hold the new instruction",
     lambda f, m: f.idle and f.in_phase("done") and f.memory != f.change.new
     and m[1] == f.function),
    (r"No core can fetch anything older(?: than what memory holds)?",
     lambda f, _: f.nobody_behind()),
    # before the first phase
    (r"The patcher makes sure that every site still holds the old instruction",
     lambda f, _: f.all_old() and not f.in_phase(*PHASES)),
    ((r"The patcher writes the new code, which nobody calls yet"
     r"(?:: (\d+) of (\d+) stores are done)?"),
     lambda f, m: f.all_old() and not f.in_phase(*PHASES) and f.stores(m[1], m[2], text=False)),
    # stores
    ((r"The patcher tells the int3 handler which sites change, and what to act out there"
     r"(?:: (\d+) of (\d+) stores are done)?"),
     lambda f, m: f.in_phase("arm") and f.refs == 0 and f.stores(m[1], m[2], text=False)),
    (r"The code itself is untouched", lambda f, _: f.memory == f.change.old),
    (r"But the code has been changed before", lambda f, _: f.memory != f.change.old),
    (r"The patcher is about to store int3 over the first byte",
     lambda f, _: f.in_phase("int3") and f.stored() == 0 and f.stores("0", None, text=True)),
    (r"The patcher is about to store the new bytes behind the first",
     lambda f, _: f.in_phase("tail") and f.stored() == 0 and f.stores("0", None, text=True)),
    (r"The patcher is about to store the new first byte",
     lambda f, _: f.in_phase("head") and f.stored() == 0 and f.stores("0", None, text=True)),
    ((r"The patcher stores (int3 over the first byte|the new bytes behind the first|"
     r"the new first byte): (\d+) of (\d+) stores are done"),
     lambda f, m: f.in_phase("int3", "tail", "head") and f.stores(m[2], m[3], text=True)
     and f.stored() == int(m[2])),
    # memory
    (r"At (\w+) memory holds the whole new instruction",
     lambda f, m: m[1] == f.function and f.memory == f.change.new),
    (r"At (\w+) memory holds the old instruction",
     lambda f, m: m[1] == f.function and f.memory == f.change.old),
    (r"At (\w+) an int3 stands in front of the new bytes",
     lambda f, m: m[1] == f.function and f.memory == b"\xcc" + f.change.new[1:]),
    (r"At (\w+) an int3 stands over the first byte",
     lambda f, m: m[1] == f.function and f.memory == b"\xcc" + f.change.old[1:]),
    (r"At (\w+) memory holds new bytes and old ones, and no int3 in front of them",
     lambda f, m: m[1] == f.function and f.memory[0] != INT3
     and f.memory not in (f.change.old, f.change.new)),
    # syncs
    (rf"Next the patcher asks {WHO} to fetch anew",
     lambda f, m: f.in_phase("sync1", "sync2", "sync3")
     and not isinstance(f.steps[f.patcher.index], Wait)
     and f.cores(m[1]) == next([c for c in range(8) if s.cores >> c & 1]
                               for s in f.steps[f.patcher.index:] if isinstance(s, Ipi))),
    (rf"The patcher waits until {WHO} says? that (?:it has|they have) fetched anew",
     lambda f, m: f.in_phase("sync1", "sync2", "sync3") and f.cores(m[1]) == f.pending()
     and not f.machine.patcher_can_move()),
    (r"Every core that was asked to fetch anew has done so",
     lambda f, _: f.in_phase("sync1", "sync2", "sync3") and not f.pending()
     and f.machine.patcher_can_move()),
    (r"(Cores? .*) (?:was|were) not asked",
     lambda f, m: all(f.asked(core)[0] == -1 for core in f.cores(m[1]))),
    (r"Phase (\w+) is not over: (.*)",
     lambda f, m: f.in_phase(m[1]) and all(whys(f, why) for why in m[2].split("; "))
     and sorted(core for why in m[2].split("; ") for core in f.cores(why.split("int3 ", 1)[0]))
     == f.pending()),
    # drain
    (r"The patcher is about to give up its own reference to the list of sites",
     lambda f, _: f.in_phase("drain") and f.refs >= 1),
    (r"The patcher waits for (one|\d+) int3 handlers? still reading the list of sites",
     lambda f, m: f.in_phase("drain") and f.refs == (1 if m[1] == "one" else int(m[1]))),
    (r"No int3 handler reads the list of sites any more",
     lambda f, _: f.in_phase("drain") and f.refs == 0),
    # fetches
    (rf"(?:Meanwhile|So|But) {WHO} may fetch (the .*), never a mixture",
     lambda f, m: f.may_fetch(m[1], m[2])),
    ((rf"(?:Meanwhile|So|But) {WHO} may hold older bytes behind the int3; the int3 in front keeps "
     r"them from running a mixture"), lambda f, m: f.may_hold(m[1])),
    (r"(?:Meanwhile|So|But) core (\d+) may fetch ([0-9a-f ]+), which nobody wrote",
     lambda f, m: bytes.fromhex(m[2]) in f.fetchable(int(m[1])) and "torn" in f.kinds(int(m[1]))
     and bytes.fromhex(m[2]) not in (f.change.old, f.change.new)),
    (r"Nothing is being patched", lambda f, _: f.idle and not f.scene.sites),
    # a core at an int3
    (r"Core (\d+) ran into the int3 at (\w+) and trapped",
     lambda f, m: f.trapped_at(int(m[1]), m[2]) and f.acts(int(m[1]))),
    (r"At this moment the int3 handler knows of no site", lambda f, _: f.refs == 0),
    (r"The int3 handler does not find this site in its list",
     lambda f, _: f.refs > 0 and acted(f) is None),
    (r"The int3 handler's list tells it to act out the (call|nop), the new instruction",
     lambda f, m: f.refs > 0 and acted(f) == encoded(change(f).new) and m[1] == word(acted(f))),
    (r"The int3 handler's list tells it to act out the (call|nop), the old instruction",
     lambda f, m: f.refs > 0 and acted(f) == encoded(change(f).old) and m[1] == word(acted(f))),
    (r"The int3 handler has acted out the (call|nop), so core (\d+) already takes the new path",
     lambda f, m: f.acts(int(m[2])) and m[1] == word(encoded(change(f).new))
     and f.promise(int(m[2]), new=True)),
    (r"The int3 handler has sent it on, and core (\d+) still takes the old path",
     lambda f, m: f.acts(int(m[1])) and f.promise(int(m[1]), new=False)),
    ((r"The int3 handler has sent it on, and core (\d+) takes a path that is neither the old one "
      r"nor the new one"),
     lambda f, m: f.acts(int(m[1])) and NOP5 not in (f.change.old, f.change.new)
     and f.promise(int(m[1]), new=False)),
    ((r"The int3 handler's list tells it to act out the (nop), which is neither the old "
      r"instruction nor the new one"),
     lambda f, m: f.refs > 0 and m[1] == word(acted(f))
     and acted(f) not in (encoded(change(f).old), encoded(change(f).new))),
    (r"It begins the instruction anew, without the int3", lambda f, _: f.begins_anew()),
    (r"Core (\d+) is in the int3 handler, which is just changing where it goes on",
     lambda f, m: f.in_handler(int(m[1])) and f.acts(int(m[1]))),
    (r"Core (\d+) is in the trampoline of (\w+), on its way to the replacement",
     lambda f, m: not f.idle and f.in_trampoline(int(m[1]), m[2])
     and f.acts(int(m[1]))),
    # failures
    ((r"Core (\d+) executed ([0-9a-f ]+) at (\w+), which nobody wrote: "
     r"(?:that is no instruction|it became (.*))"), lambda f, m: f.torn(m[1], m[2], m[3], m[4])),
    (r"It does what neither the old nor the new instruction does", lambda f, _: f.harmful()),
    (r"By chance it does the same as the old or the new instruction", lambda f, _: not f.harmful()),
    (r"Core (\d+) met an int3 at (\w+) that the int3 handler did not know, and the kernel gave up",
     lambda f, m: f.unhandled(int(m[1]), m[2])),
    ((r"Core (\d+) called (\w+) and came to code that was out of service: every core had already "
     r"been told to fetch anew"), lambda f, m: f.late(int(m[1]))),
    ((r"Core (\d+) could fetch more than one instruction at (\w+): the manual calls what comes of "
     r"it undefined"), lambda f, m: f.hazard(int(m[1]), m[2])),
    (r"The machine has stopped(?:: .*)?", lambda f, _: not f.machine.alive),
]  # fmt: skip

WHYS: list[tuple[str, Callable[[Facts, int], bool]]] = [
    (r"core \d+ is just doing it|cores .* are just doing it", Facts.serving),
    (r"the interrupt is on its way to .*", lambda f, c: f.on_its_way(c) and not f.off(c)),
    (r"cores? .* (has|have) interrupts off", lambda f, c: f.on_its_way(c) and f.off(c)),
    (r"cores? .* (is|are) in the int3 handler, where interrupts wait",
     lambda f, c: f.on_its_way(c) and f.trap(c) is not None),
    (r"the interrupt for .* is held back", Facts.held_back),
    (r"cores? .* (has|have) not answered",
     lambda f, c: c in f.pending() and not f.serving(c)),
]  # fmt: skip


def whys(facts: Facts, text: str) -> bool:
    """Return whether a reason is true of each core it names."""
    cores = facts.cores(text.split("int3 ", 1)[0])
    (true,) = [true for pattern, true in WHYS if re.fullmatch(pattern, text)]
    return bool(cores) and all(true(facts, core) for core in cores)


def change(facts: Facts) -> Change:
    """Return what becomes of the site that the actor trapped at."""
    assert facts.actor is not None
    assert facts.plan is not None
    trap = facts.trap(facts.actor)
    assert trap is not None
    return next(c for c in facts.plan.changes if c.address == trap.address % 2**64 - 1)


def acted(facts: Facts) -> tuple[int, int] | None:
    """Return what the handler finds for the actor."""
    return facts.entry(change(facts).address)


def encoded(instruction: bytes) -> tuple[int, int]:
    """Return a nop or call as the handler has it."""
    if instruction == NOP5:
        return 0xE9, 0
    return instruction[0], int.from_bytes(instruction[1:], "little", signed=True)


def word(entry: tuple[int, int] | None) -> str:
    """Return what an entry acts out, in a word."""
    return "call" if entry is not None and entry[0] == 0xE8 else "nop"


def sentences(scene: Scene) -> list[str]:
    """Return everything that is told, sentence by sentence, without full stops."""
    told = f"{scene.sentence} {scene.reason}".replace("Now: ", "").strip()
    return [each.rstrip(".") for each in re.split(r"(?<=\.) (?=[A-Z])", told)]


def check(run: Run, scene: Scene, told: set[str] | None = None) -> None:
    """Assert that everything that a scene tells is true of the present state of its run."""
    facts = Facts(run, scene)
    for text in sentences(scene):
        found = [(p, m, t) for p, t in TRUTHS if (m := re.fullmatch(p, text))]
        assert len(found) == 1, f"nobody says when this is true: {text!r}"
        pattern, match, true = found[0]
        assert true(facts, match), (scene.time, scene.phase, text)
        if told is not None:
            told.add(pattern)
    _check_what_is_told_first(facts)
    _check_chapters(facts)
    _check_cores(facts)


def _check_cores(facts: Facts) -> None:
    """The bytes that a core may fetch are the oldest it may; it has serialised if none is stale."""
    machine, guest = facts.machine, facts.lab.guest
    for core in facts.scene.cores:
        assert core.rip == machine.rip(core.number)
        for site, seen in zip(facts.scene.sites, core.sites, strict=True):
            physical = [guest.physical(site.address + at) for at in range(5)]
            versions = [machine.versions(core.number, each) for each in physical]
            assert [(byte.newest, byte.value) for byte in seen] == [(v[0], v[-1]) for v in versions]
        assert not (core.stale and core.serialised)
        assert core.serialised == (not core.waiting)


def _check_what_is_told_first(facts: Facts) -> None:
    scene = facts.scene
    assert scene.sentence
    torn = facts.first_torn()
    assert (scene.failure is not None) >= (torn is not None)
    if scene.failure is None and facts.machine.alive:
        trapped = [core for core in facts.started if facts.in_handler(core)]
        told = scene.actor is not None and facts.trap(scene.actor) is not None
        assert told or not trapped, (scene.time, trapped, scene.sentence)
    if scene.failure is not None:
        assert scene.sentence == scene.failure.sentence


def _check_chapters(facts: Facts) -> None:
    """The phases that have begun are those of the events; the last is now, unless it is done."""
    scene, phases = facts.scene, facts.run.all(events.PHASE)
    begun = [PHASES[event.a] for event in phases if event.b == facts.patcher.requests]
    status = {each.phase: each.status for each in scene.chapters}
    assert set(status) == set(PHASES)
    if facts.idle and begun:
        assert begun[-1] == "done"
        assert all(status[phase] == "done" for phase in begun)
    else:
        assert [p for p in begun if status[p] == "done"] == begun[:-1]
        assert [p for p in status if status[p] == "now"] == begun[-1:]
    if facts.plan is not None:
        there = [step.name for step in facts.plan.steps if isinstance(step, Phase)]
        assert [each.phase for each in scene.chapters if each.status != "left out"] == there
    assert scene.phase == (begun[-1] if begun else "before")
