"""Torn bytes of code that a kernel changes itself, from events that are written down here."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from emu.detect import kernel_fetches
from emu.detect.kernel_fetches import Harmless, KernelFetches
from emu.errors import BadSymbol
from emu.guest import probes
from emu.guest.int3_handler import Poke
from emu.machine import events
from emu.moves.fault import FREEZE_FLOOR
from emu.moves.plan import PHASES

SITE = 0x1000
OLD, NEW = bytes.fromhex("0f 1f 44 00 00"), bytes.fromhex("e8 7b b6 e0 3e")


class Rows:
    """Events, one a nanosecond."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, ...]] = []

    def phase(self, name: str) -> None:
        """Enter a phase."""
        self._add(0, events.PHASE, 0, PHASES.index(name), 0)

    def store(self, at: int, old: bytes, new: bytes) -> None:
        """Store bytes."""
        values = int.from_bytes(old, "little"), int.from_bytes(new, "little")
        self._add(0, events.TEXT_STORE, SITE + at, *values, len(new))

    def fetch(self, code: bytes) -> None:
        """Let core 1 execute bytes that are stale."""
        value = int.from_bytes(code.ljust(8, b"\x90"), "little", signed=True)
        self._add(1, events.STALE_FETCH, SITE, value, events.FETCH_STALE | len(code) << 8)

    def batch(self, fetched: bytes | None = None, phase: str = "sync2") -> None:
        """Make OLD become NEW, while something is fetched in a phase."""
        stores = {
            "int3": ((0, OLD[:1], b"\xcc"),),
            "tail": tuple((at, OLD[at : at + 1], NEW[at : at + 1]) for at in range(1, 5)),
            "head": ((0, b"\xcc", NEW[:1]),),
        }
        for each in PHASES:
            self.phase(each)
            for store in stores.get(each, ()):
                self.store(*store)
            if each == phase and fetched is not None:
                self.fetch(fetched)

    def freeze(self) -> None:
        """Let core 1 answer an interrupt, and not serialise."""
        self._add(1, events.FAULT, 0, FREEZE_FLOOR)

    def lose(self) -> None:
        """Let core 1 lose a sync, of a patch elsewhere."""
        self.phase("arm")
        self.freeze()
        self.phase("done")

    def serialise(self) -> None:
        """Let core 1 serialise."""
        self._add(1, events.SERIALISED)

    def answer(self, handler: str, *, taken: bool) -> None:
        """Let a handler look at an int3 on core 1."""
        self._add(1, probes.INT3, 0, taken, probes.INT3_HANDLERS.index(handler))

    def trap(self, vector: int) -> None:
        """Let core 1 take an exception."""
        self._add(1, events.TRAP, 0, vector)

    def oops(self, core: int = 1) -> None:
        """Let the kernel find a fault of its own."""
        self._add(core, probes.OOPS)

    def _add(self, core: int, *rest: int) -> None:
        self.rows.append((len(self.rows), core, *rest, *[0] * (6 - len(rest))))


class NoObjects:
    """Variables of a kernel that does not tell what it is about to store."""

    def __getitem__(self, name: str) -> object:
        raise BadSymbol(name)


def taken(rows: Rows, pieces: int = 1) -> KernelFetches:
    guest = SimpleNamespace(
        physical=lambda address: address,
        machine=SimpleNamespace(alive=True),
        objects=NoObjects(),
    )
    fetches = KernelFetches(cast("Any", guest))
    for piece in np.array_split(np.array(rows.rows, np.int64), pieces):
        fetches.take(piece)
    return fetches


def found(rows: Rows, pieces: int = 1) -> list[tuple[str, int, bytes, int]]:
    findings = taken(rows, pieces).findings
    return [(each.what, each.core, each.code, each.address) for each in findings]


@pytest.mark.parametrize("pieces", [1, 3, 7, 50])
def test_an_old_byte_in_front_of_new_ones_is_torn(pieces: int) -> None:
    torn, rows = OLD[:1] + NEW[1:4] + OLD[4:], Rows()
    rows.batch(torn + b"SH")
    assert found(rows, pieces) == [("harmful", 1, torn, SITE)]


def test_what_does_the_same_by_chance_is_no_harm() -> None:
    rows = Rows()
    rows.batch(OLD[:4] + NEW[4:])
    assert [what for what, *_ in found(rows)] == ["torn"]


@pytest.mark.parametrize("phase", PHASES[1:])
@pytest.mark.parametrize("code", [OLD, NEW, b"\xcc"])
def test_whole_instructions_and_int3_are_not(code: bytes, phase: str) -> None:
    rows = Rows()
    rows.batch(code, phase)
    assert found(rows) == []


def test_what_stood_there_before_code_was_loaded_does_not_count() -> None:
    rows = Rows()
    rows.batch()
    rows.store(0, NEW, b"\x90" * 5)
    rows.fetch(NEW)
    assert found(rows) == []


def test_nothing_is_said_before_it_is_known_what_the_site_becomes() -> None:
    """A call may become another call: a new tail behind the same first byte is the new one."""
    rows, other = Rows(), NEW[:1] + bytes(4)
    rows.phase("arm")
    rows.store(0, NEW[:1], b"\xcc")
    rows.store(1, NEW[1:], other[1:])
    rows.fetch(other)
    assert found(rows) == []
    rows.store(0, b"\xcc", other[:1])
    rows.phase("done")
    assert found(rows) == []


def test_what_the_kernel_announces_is_believed_while_it_is_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A core that waits for ever, or a kernel that dies of it, leaves a batch under way."""
    other = NEW[:1] + bytes(4)

    def pokes(_guest: object, address: int, count: int) -> tuple[Poke, ...]:
        assert (address, count) == (0, 1)
        return (Poke(SITE, other),)

    handler = SimpleNamespace(pokes=pokes)
    monkeypatch.setattr(kernel_fetches, "Handler", lambda _guest: handler)
    rows = Rows()
    rows.phase("arm")
    rows.rows[-1] = (*rows.rows[-1][:5], 0, 1, 0)  # where its list is, and how long
    rows.store(0, NEW[:1], b"\xcc")
    rows.store(1, NEW[1:], other[1:])
    rows.fetch(other)
    rows.fetch(NEW[:2] + other[2:])
    assert found(rows) == [("harmful", 1, NEW[:2] + other[2:], SITE)]


def test_an_int3_that_nobody_knows_and_the_kernel_dies_of_is_found() -> None:
    rows = Rows()
    rows.batch(b"\xcc", "done")
    rows.answer("text_poke", taken=False)
    rows.answer("kprobe", taken=False)
    rows.oops(core=0)
    assert found(rows) == []
    rows.oops()
    assert found(rows, 3) == [("unhandled int3", 1, b"\xcc", SITE)]


@pytest.mark.parametrize(("handler", "fate"), [("text_poke", "acted out"), ("kprobe", "gone")])
def test_an_int3_that_a_handler_takes_does_no_harm(handler: str, fate: Harmless) -> None:
    rows = Rows()
    rows.lose()
    rows.batch(b"\xcc", "done")
    rows.answer("text_poke", taken=handler == "text_poke")
    if handler == "kprobe":
        rows.answer(handler, taken=True)
    rows.oops()
    fetches = taken(rows)
    assert not fetches.findings
    assert fetches.lost == {1: 1}
    assert fetches.harmless == {(1, fate): 1}


def test_an_int3_that_the_core_has_left_behind_is_not_what_it_died_of() -> None:
    rows = Rows()
    rows.batch(b"\xcc", "done")
    rows.trap(3)
    rows.trap(14)
    rows.oops()
    assert found(rows) == []


def test_a_batch_that_was_under_way_before_is_one() -> None:
    """As where a run goes on from a snapshot."""
    rows, torn = Rows(), OLD[:1] + NEW[1:4] + OLD[4:]
    rows.phase("sync1")
    rows.store(1, OLD[1:], NEW[1:])
    rows.fetch(torn)
    rows.store(0, b"\xcc", NEW[:1])
    rows.phase("done")
    assert [what for what, *_ in found(rows)] == ["harmful"]


@pytest.mark.parametrize("again", [False, True])
def test_what_is_executed_after_a_lost_sync_counts_until_the_core_serialises(again: bool) -> None:
    rows = Rows()
    rows.lose()
    if again:
        rows.serialise()
    rows.batch(OLD, "done")
    assert taken(rows).harmless[1, "whole"] == (not again)


def test_an_interrupt_is_no_sync_where_nobody_patches() -> None:
    rows = Rows()
    rows.freeze()
    rows.batch(OLD, "done")
    fetches = taken(rows)
    assert not fetches.lost
    assert not +fetches.harmless


def test_a_loop_over_old_bytes_does_not_hide_torn_ones() -> None:
    """All of it in one look: what is bounded is how many different fetches wait."""
    rows = Rows()
    rows.lose()
    rows.phase("arm")
    rows.store(0, OLD[:1], b"\xcc")
    for _ in range(1000):
        rows.fetch(OLD)
    rows.store(1, OLD[1:], NEW[1:])
    rows.fetch(OLD[:1] + NEW[1:])
    rows.store(0, b"\xcc", NEW[:1])
    rows.phase("done")
    fetches = taken(rows)
    assert [each.code for each in fetches.findings] == [OLD[:1] + NEW[1:]]
    assert fetches.harmless == {(1, "whole"): 1000}
