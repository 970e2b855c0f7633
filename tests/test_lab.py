"""The lab: what users import."""

import pytest

import emu
from emu.errors import GuestDied, TextpokeError
from emu.lab import End, Lab, boot
from emu.machine import loop
from emu.moves.chooser import round_robin
from emu.moves.move import Input, decode
from emu.moves.segment import Moves
from tests.labs import FUNCTION, REPLACEMENT, SECOND, in_and_out, loaded, plans, redirected


def test_a_run_ends_as_it_should() -> None:
    lab = boot("toy", append="selftest", cores=2)
    assert lab.run(instructions=1_000) is End.BOUND
    assert lab.machine.retired() >= 1_000
    assert lab.run(until=b"toy kernel") is End.TEXT
    seen: list[bytes] = []
    assert lab.run(on_output=seen.append) is End.EXIT
    assert b"".join(seen).endswith(b"selftest: all ok\r\n")
    assert lab.machine.exit_value == 0
    assert lab.run() is lab.ended() is End.EXIT


def test_how_a_run_ended_is_said_in_one_way() -> None:
    lab = boot("toy", append="selftest", cores=2)
    assert lab.run(instructions=1_000) is End.BOUND
    found = lab.report(End.BOUND)
    assert found is not None
    assert lab.why(End.BOUND) == found.sentence
    assert lab.ended() is None
    assert lab.report(End.EXIT) is None
    assert lab.why(End.EXIT) == "the guest ended the machine"


def test_stop_is_asked_after_each_step_of_the_patcher() -> None:
    lab = loaded(cores=2)
    inward, _ = plans(lab, redirected(lab))
    seen: list[int] = []
    lab.request(inward)

    def stop() -> bool:
        seen.append(lab.patcher.index)
        return lab.patcher.done

    lab.run(stop=stop)
    assert lab.patcher.done
    steps = {index for index, step in enumerate(inward.steps) if type(step).__name__ != "Phase"}
    assert steps - {0} <= set(seen)


def test_the_same_seed_is_the_same_run_and_another_is_another() -> None:
    ends = [loaded(seed=seed).hash() for seed in (1, 1, 2)]
    assert ends[0] == ends[1] != ends[2]


def up_to(lab: Lab, moves: int) -> None:
    """Go on until the chooser has made so many moves."""
    while (left := moves - lab.chooser.made) > 0:
        if lab.machine.drive(lab.chooser, moves=left) == loop.PATCHER:
            lab.patcher.step()
    assert lab.chooser.made == moves


def test_how_a_run_is_cut_does_not_matter() -> None:
    ends = []
    for cuts in ([30_000], [10_000, 10_000, 10_000], [1] * 50 + [5_000]):
        lab = loaded(seed=6)
        booted = lab.chooser.made
        both = plans(lab, redirected(lab))
        lab.request(both[0])
        for cut in cuts:
            lab.run(instructions=cut)
        up_to(lab, booted + 3_000)
        ends.append((lab.hash(), lab.verdict()))
    assert ends[0] == ends[1] == ends[2]


def test_two_functions_one_after_the_other_are_not_late() -> None:
    lab = loaded(seed=7)
    first, second = redirected(lab, FUNCTION, SECOND)
    for redirect in (first, second):
        lab.carry_out(lab.plan([redirect], inward=True)[0])
        lab.run(instructions=20_000)
    lab.carry_out(lab.plan([first], inward=False)[0])
    lab.run(instructions=20_000)
    lab.drain()
    verdict = lab.verdict()
    assert verdict.old > 20
    assert (verdict.status, verdict.late) == (0, 0)


def test_what_is_patched_later_is_watched_too() -> None:
    lab = loaded(seed=7)
    first, second = (lab.arena.redirect(name, REPLACEMENT[name]) for name in (FUNCTION, SECOND))
    other = lab.arena.redirect(FUNCTION, REPLACEMENT[FUNCTION])
    counts = []
    lab.patch_in([first])
    for step in (lambda: lab.patch_in([second]), lambda: lab.patch_out([first]), None):
        lab.run(instructions=20_000)
        counts.append(lab.verdict())
        if step:
            step()
    lab.patch_in([other])  # another body of the first
    lab.run(instructions=20_000)
    lab.drain()
    counts.append(lab.verdict())
    assert [each.status for each in counts] == [0] * 4
    assert len(lab.detectors.watched) == 2  # type: ignore[union-attr]
    one, two, three, four = counts
    assert two.new - one.new > 1.3 * one.new  # two functions
    assert three.old > two.old
    assert four.new > three.new
    assert four.calls == four.old + four.new


def test_an_interruption_between_two_runs_ends_the_next() -> None:
    lab = loaded()
    redirect = lab.arena.redirect(FUNCTION, REPLACEMENT[FUNCTION])
    lab.interrupt()
    assert lab.patch_in([redirect]) is End.INTERRUPTED
    assert lab.run(instructions=1_000) is End.BOUND


def test_an_interruption_makes_no_call_seem_lost() -> None:
    lab = loaded(seed=8)
    lab.patch_in([lab.arena.redirect(FUNCTION, REPLACEMENT[FUNCTION])])
    detectors = lab.detectors
    assert detectors
    while detectors.drained(detectors.mark()):
        lab.run(instructions=1)
    lab.interrupt()
    lab.drain()
    assert lab.verdict().lost == 0
    assert lab.run(instructions=1_000) is End.BOUND


def test_an_interruption_between_two_batches_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = loaded()
    redirects = [lab.arena.redirect(f"leaf_{number:03}", "ret") for number in range(257)]

    def note(*_event: int) -> None:
        if lab.patcher.phase == "done":
            lab.interrupt()

    monkeypatch.setattr(lab.machine, "note", note)
    assert lab.patch_in(redirects) is End.INTERRUPTED
    assert (lab.patcher.done, lab.patcher.requests) == (True, 1)


def test_counts_add_up_once_a_run_is_drained() -> None:
    lab = loaded(seed=8)
    in_and_out(lab, plans(lab, redirected(lab, FUNCTION, SECOND)), 5)
    lab.drain()
    verdict = lab.verdict()
    assert verdict.calls == verdict.old + verdict.new + verdict.lost
    assert verdict.lost == 0


def test_input_is_moves_of_at_most_fifteen_bytes() -> None:
    lab = boot("toy", cores=1)
    lab.run(instructions=1_000)
    lab.input(bytes(range(33)))
    (_, typed) = lab.schedule().segments
    assert isinstance(typed, Moves)
    moves = [decode(row) for row in typed.rows]
    assert [len(each.data) for each in moves if isinstance(each, Input)] == [15, 15, 3]
    lab.input(bytes(5000))  # more than there is room for: the rest comes when some was read
    (_, typed, more) = lab.schedule().segments
    assert sum(len(part.rows) for part in (typed, more) if isinstance(part, Moves)) == 3 + 271


def test_cores_may_take_turns() -> None:
    lab = loaded(seed=None)
    in_and_out(lab, plans(lab, redirected(lab)), 10)
    assert lab.verdict().status == 0
    assert lab.chooser.name == "round-robin"
    lab.choose(round_robin(7))
    assert lab.run(instructions=1_000) is End.BOUND


def test_what_the_lab_refuses() -> None:
    lab = boot("toy", cores=1)
    with pytest.raises(TextpokeError, match="nothing is watched yet"):
        lab.verdict()
    with pytest.raises(TextpokeError, match="9 cores"):
        boot("toy", cores=9)
    with pytest.raises(TextpokeError, match="no fetch model"):
        boot("toy", model="tso")
    with pytest.raises(TextpokeError, match="No such file"):
        boot("no-such-kernel.elf")


def test_a_kernel_that_never_runs_tasks_is_said_to_have_died(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("emu.lab.lab._TASKS_BOUND", 1_000)
    lab = boot("toy", cores=1)
    with pytest.raises(GuestDied, match="never all ran tasks: the bound was reached after 1,000 "):
        lab.run_until_tasks()


def test_the_package_boots() -> None:
    assert emu.boot("toy", cores=1).machine.cores == 1
