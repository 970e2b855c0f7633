"""The fetches of an interval, by replay, are those of the run."""

import dataclasses

import numpy as np
import pytest

from emu.errors import BadSchedule, TextpokeError
from emu.image.elf import ElfImage
from emu.lab import Lab, boot
from emu.machine.fetches import Fetches
from emu.moves.schedule import ImageId
from emu.timeline.fetches import fetches
from tests.conftest import TOY
from tests.labs import FUNCTION, plans, redirected
from tests.timeline.runs import patched, spelled_out


@pytest.fixture(scope="module")
def image() -> ElfImage:
    return ElfImage.read(TOY)


def columns(found: Fetches) -> list[object]:
    return [found.column(name).tolist() for name in ("number", "time", "core", "address", "code")]


@pytest.fixture(scope="module")
def run() -> tuple[Lab, int, list[object]]:
    """A run in which a function is patched, where that began, and the columns of its trace."""
    lab = boot("toy", append="load", seed=4)
    lab.run_until_tasks()
    begin = lab.machine.retired()
    lab.machine.trace()
    (plan, _) = plans(lab, redirected(lab))
    lab.carry_out(plan)
    lab.run(instructions=20_000)
    lab.drain()
    return lab, begin, columns(lab.machine.fetches)


def test_a_lab_tells_every_fetch_of_its_run(run: tuple[Lab, int, list[object]]) -> None:
    lab, begin, live = run
    before = lab.hash()
    again = lab.fetches(begin, lab.machine.retired())
    assert columns(again) == live
    assert len(again) == lab.machine.retired() - begin > 20_000
    assert lab.hash() == before


@pytest.mark.parametrize(("begin", "end"), [(0, 0), (1, 2), (17, 9_001), (30_000, 1 << 60)])
def test_a_part_of_an_interval(
    run: tuple[Lab, int, list[object]], image: ElfImage, begin: int, end: int
) -> None:
    lab, start, live = run
    part = fetches(image, lab.schedule(), start + begin, start + end)
    assert columns(part) == [column[begin:end] for column in live]  # type: ignore[index]


def test_moves_one_by_one_have_the_same_fetches(image: ElfImage) -> None:
    schedule, _ = spelled_out("sdm", 5)
    lab = boot("toy", append="load", model="sdm", seed=5)
    lab.machine.trace()
    lab.run_until_tasks()
    end = lab.machine.retired()
    live = lab.machine.fetches
    for begin in (0, end - 5_000):
        assert columns(fetches(image, schedule, begin, end)) == columns(live.between(begin, end))
    beyond = fetches(image, schedule, end, schedule.instructions)
    assert len(beyond) == schedule.instructions - end
    assert beyond[0].number == end


@pytest.mark.slow
def test_the_stale_bytes_that_a_core_executed_are_among_them(image: ElfImage) -> None:
    """Each form of a site that is patched, and no mix of them: int3 came between."""
    lab = patched("sdm", 9)
    site = int(lab.image.sites.of(FUNCTION))
    found = fetches(image, lab.schedule(), 0, lab.machine.retired()).at(site)
    codes = {fetch.code for fetch in found}
    assert len(found) > 10
    assert {code[:1] for code in codes} >= {b"\x0f", b"\xe8"}


def test_no_such_interval_and_another_image(run: tuple[Lab, int, list[object]]) -> None:
    lab, _, _ = run
    for begin, end in ((-1, 5), (5, 4)):
        with pytest.raises(TextpokeError, match="an interval begins"):
            lab.fetches(begin, end)
    other = dataclasses.replace(lab.schedule(), image=ImageId("other.elf", "0" * 64))
    with pytest.raises(BadSchedule, match=r"is for other\.elf"):
        fetches(lab.image, other, 0, 1)


def test_idle_time_counts(run: tuple[Lab, int, list[object]]) -> None:
    lab, begin, _ = run
    found = lab.fetches(begin, begin + 10_000)
    times = found.column("time")
    assert np.all(np.diff(times) >= 1)
    assert found[0].time >= found[0].number
