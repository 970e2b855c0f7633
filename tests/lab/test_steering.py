"""Holds and faults of syncs, on the toy kernel: what they bring about; replays need none."""

import pytest

from emu.errors import BadSymbol, TextpokeError
from emu.lab import Hold, Lab, SyncFault, boot
from emu.lab.hold import Place
from emu.machine import events
from emu.moves.fault import FREEZE_FLOOR
from tests.labs import FUNCTION, REPLACEMENT, loaded, redirected

SITE = f"*{FUNCTION} == 0xcc"
HELD = f"core 0 while {SITE} until core 1 executes {FUNCTION}"


# --- what is written ----------------------------------------------------------------------------


def test_a_hold_is_read_as_it_is_written() -> None:
    hold = Hold.parse(" core 2  while *a_b+0x10 == 0xCC until core 3 executes c.isra.0 + 4 ", 4)
    assert hold == Hold(2, Place("a_b", 16), 0xCC, 3, Place("c.isra.0", 4))
    assert Hold.parse(str(hold), 4) == hold


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "is no hold: the form is"),
        ("core 0 while a == 1 until core 1 executes a", "is no hold"),
        ("core 0 while *a == b until core 1 executes a", "is no hold"),
        ("core 0 while *a == 0xcc", "is no hold"),
        ("core 4 while *a == 1 until core 1 executes a", "no core 4: there are 4"),
        ("core 0 while *a == 1 until core 7 executes a", "no core 7"),
        ("core 1 while *a == 1 until core 1 executes a", "cannot execute anything"),
        ("core 0 while *a == 256 until core 1 executes a", "no byte"),
        ("core 0 while *a == 1 until core 1 executes a; core 2", "is no hold"),
    ],
)
def test_what_is_no_hold_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(TextpokeError, match=wrong):
        Hold.parse(text, 4)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("lose sync 1 on core 0", SyncFault(1, 0)),
        ("lose every sync 3 on core 1", SyncFault(3, 1, every=True)),
        ("delay sync 2 on core 1 by 20000", SyncFault(2, 1, 20000)),
        ("lose sync 2 on core 1 of f.cold", SyncFault(2, 1, function="f.cold")),
        (
            "delay sync 2 on core 1 by 5 of f after init: script line 3",
            SyncFault(2, 1, 5, function="f", after=b"init: script line 3"),
        ),
    ],
)
def test_a_fault_is_read_as_it_is_written(text: str, fault: SyncFault) -> None:
    assert SyncFault.parse(text, 2) == fault
    assert str(fault) == text


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("lose sync 1", "is no fault: the forms are"),
        ("lose sync 1 on core 0 by 5", "is no fault"),
        ("delay sync 1 on core 0", "is no fault"),
        ("lose sync 4 on core 0", "no sync 4"),
        ("lose sync 1 on core 2", "no core 2: there are 2"),
        ("delay sync 1 on core 0 by 0", "a delay is 1 to"),
        ("delay sync 1 on core 0 by 4294967296", "a delay is 1 to"),
    ],
)
def test_what_is_no_fault_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(TextpokeError, match=wrong):
        SyncFault.parse(text, 2)


def test_a_symbol_that_the_kernel_lacks_is_said_at_once() -> None:
    lab = boot("toy", cores=2)
    with pytest.raises(BadSymbol, match="did you mean vfs_read"):
        lab.steer([Hold.parse("core 0 while *vfs_raed == 1 until core 1 executes vfs_read", 2)])
    with pytest.raises(BadSymbol, match="vfs_raed"):
        lab.steer((), [SyncFault(1, 1, function="vfs_raed")])


# --- what comes of it ---------------------------------------------------------------------------


def site_of(lab: Lab) -> int:
    return lab.guest.physical(lab.image.symbols[FUNCTION].address)


def test_a_held_core_executes_nothing_until_the_other_has_come_there() -> None:
    """The byte is an int3 for a few thousand instructions; core 1 seldom comes there in time."""
    lab = loaded(seed=None)
    redirects = redirected(lab)
    lab.steer([Hold.parse(HELD, 4)])
    (plan,) = lab.plan(redirects, inward=True)
    lab.request(plan)
    site, held, others = site_of(lab), set(), set()

    def stop() -> bool:
        if lab.machine.read(site, 1) == b"\xcc" and not lab.chooser.actors & 1:
            held.add(lab.machine.retired_by(0))
            others.add(lab.machine.retired_by(1))
        return lab.patcher.done

    lab.run(instructions=30_000_000, stop=stop)
    assert lab.patcher.done
    assert len(held) == 1 < len(others)
    assert lab.steering is not None
    assert lab.steering.told() == (f"hold {HELD}: it began once, core 1 came there once",)


def test_nobody_waits_for_a_core_that_is_still_to_be_started() -> None:
    """The byte may be what it is from the beginning, and who is held would start the others."""
    lab = boot("toy", cores=2)
    site = lab.image.load_address(lab.image.symbols[FUNCTION].address)
    assert site is not None
    byte = f"*{FUNCTION}+8 == {lab.machine.read(site + 8, 1)[0]}"
    lab.steer([Hold.parse(f"core 0 while {byte} until core 1 executes {FUNCTION}", 2)])
    lab.run_until_tasks()
    assert lab.steering is not None
    assert lab.steering.told()[0].endswith("it never began")


def test_detectors_and_a_hold_are_told_of_the_same_run() -> None:
    """Each has probes of its own, whichever came first."""
    lab = loaded(seed=3)
    lab.steer([Hold.parse(HELD, 4)])
    lab.run(instructions=2_000_000)
    redirects = [lab.arena.redirect(FUNCTION, REPLACEMENT[FUNCTION])]
    lab.patch_in(redirects, instructions=30_000_000)
    lab.run(instructions=1_000_000)
    lab.drain()
    assert lab.verdict().calls > 0
    assert lab.steering is not None
    assert "core 1 came there once" in lab.steering.told()[0]


def test_a_run_with_a_hold_is_replayed_without_it() -> None:
    lab = loaded(seed=3)
    redirects = redirected(lab)
    lab.steer([Hold.parse(HELD, 4)], [SyncFault(2, 2)])
    (plan,) = lab.plan(redirects, inward=True)
    lab.carry_out(plan, instructions=30_000_000)
    recorded = lab.schedule()
    again = boot("toy", append="load", seed=None)
    again.replay(recorded)
    assert again.hash() == lab.hash()
    assert again.steering is None


@pytest.mark.parametrize("sync", [1, 2, 3])
def test_a_lost_sync_is_the_one_that_was_asked_for(sync: int) -> None:
    """The core takes the sync's interrupt, answers, and has not moved its floor meanwhile."""
    lab = loaded(seed=None)
    redirects = redirected(lab)
    lab.steer((), [SyncFault(sync, 1)])
    begin = len(lab.machine.events)
    (plan,) = lab.plan(redirects, inward=True)
    lab.carry_out(plan)
    assert lab.patcher.done
    happened = lab.machine.events.since(begin)
    (fault,) = [index for index, row in enumerate(happened) if row[2] == events.FAULT]
    assert (happened[fault][1], happened[fault][4]) == (1, FREEZE_FLOOR)
    phases = [row[4] for row in happened[:fault] if row[2] == events.PHASE]
    assert phases[-1] == {1: 2, 2: 4, 3: 6}[sync]
    delivered = [row for row in happened[fault:] if row[2] == events.DELIVERED and row[1] == 1]
    assert delivered[0][4] == lab.guest.sync_vector
    assert lab.steering is not None
    assert lab.steering.told()[0].endswith(": made once")


def test_every_sync_of_patches_of_one_function_is_delayed_and_no_other() -> None:
    lab = loaded(seed=None)
    redirects = redirected(lab)
    lab.steer((), [SyncFault(1, 3, 5_000, every=True, function=FUNCTION)])
    for inward in (True, False, True):
        (plan,) = lab.plan(redirects, inward=inward)
        lab.carry_out(plan)
    assert lab.steering is not None
    assert lab.steering.told()[0].endswith(": made 3 times")
    other = loaded(seed=None)
    redirects = redirected(other)
    other.steer((), [SyncFault(1, 3, 5_000, function="vfs_read")])
    (plan,) = other.plan(redirects, inward=True)
    other.carry_out(plan)
    assert other.steering is not None
    assert other.steering.told()[0].endswith(": never made")


def test_a_fault_is_made_once_while_others_go_on() -> None:
    lab = loaded(seed=None)
    redirects = redirected(lab)
    lab.steer((), [SyncFault(2, 1, every=True), SyncFault(2, 2, 100)])
    for inward in (True, False):
        (plan,) = lab.plan(redirects, inward=inward)
        lab.carry_out(plan)
    assert lab.steering is not None
    assert [told.rpartition(": ")[2] for told in lab.steering.told()] == [
        "made 2 times",
        "made once",
    ]


def test_a_fault_waits_for_the_text_it_is_to_come_after() -> None:
    lab = loaded(seed=None)
    redirects = redirected(lab)
    lab.steer((), [SyncFault(1, 1, after=b"no such text")])
    (plan,) = lab.plan(redirects, inward=True)
    lab.carry_out(plan)
    assert lab.steering is not None
    assert lab.steering.told()[0].endswith(": never made")
