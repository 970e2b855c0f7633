"""What is at a time, in words, and what comes next."""

from emu.scene.lanes import Band, Kind, Left
from gui.timeline import moment
from tests.gui.timeline.synthetic import lane, lanes

CORE0 = lane(
    [(0, 1, Left.PREEMPTED), (500, 0, Left.YIELDED), (700, 2, Left.NOT_YET)],
    [(100, Kind.TICK), (300, Kind.INT3), (800, Kind.INT3)],
)
CORE1 = lane([], [(250, Kind.SYNC), (400, Kind.INT3)])
LANES = lanes(
    CORE0, CORE1, end=900, sent=[(200, 0, 1, 250)], bands=[Band("int3", 150, 350, 1)]
)  # fmt: skip


def test_the_sentence_says_what_each_core_does() -> None:
    assert moment.describe(LANES, 300) == (
        "At 300 ns, in phase int3: core 0 runs sshd/410 (int3); "
        "core 1 runs something that the kernel does not describe."
    )
    assert "core 0 is idle" in moment.describe(LANES, 600)
    assert "in phase" not in moment.describe(LANES, 600)


def test_the_sentence_names_what_is_on_its_way_only_until_it_is_taken() -> None:
    assert "on their way are interrupts for core 1." in moment.describe(LANES, 200)
    assert "on their way" not in moment.describe(LANES, 250)
    assert "on their way" not in moment.describe(LANES, 199)


def test_the_next_event_is_an_instant_or_a_switch() -> None:
    assert [moment.event_behind(CORE0, time) for time in (0, 100, 300, 500, 800)] == [
        100, 300, 500, 700, None,
    ]  # fmt: skip
    assert [moment.event_before(CORE0, time) for time in (0, 100, 501, 900)] == [None, 0, 500, 800]


def test_the_next_int3_is_searched_on_all_cores() -> None:
    assert moment.int3_behind(LANES, 0) == (300, 0)
    assert moment.int3_behind(LANES, 300) == (400, 1)
    assert moment.int3_behind(LANES, 400) == (800, 0)
    assert moment.int3_behind(LANES, 800) is None


def test_what_is_pointed_at_is_the_greatest_kind_then_the_nearest() -> None:
    core = lane([], [(100, Kind.TICK), (104, Kind.INT3), (107, Kind.INT3)])
    assert moment.nearest(core, 100, 5) == 1
    assert moment.nearest(core, 106, 5) == 2
    assert moment.nearest(core, 100, 2) == 0
    assert moment.nearest(core, 50, 5) is None


def test_a_slice_is_told_with_its_end_and_an_interrupt_with_its_sender() -> None:
    assert moment.tell_slice(LANES, 0, 60, 1) == (
        "core 0, 60 ns: sshd/410 from 0 ns to 500 ns, then it was preempted"
    )
    assert moment.tell_slice(LANES, 0, 750, 1) == "core 0, 750 ns: cat/812 since 700 ns"
    assert moment.tell_slice(LANES, 1, 750, 1) == "core 1, 750 ns"
    assert moment.tell_instant(LANES, 1, 0, 1) == (
        "core 1, 250 ns: takes the interrupt that asks it to serialise "
        "(vector 0xf0, sent by core 0 at 200 ns)"
    )
