"""A scene is a picture: true of the machine, and taken without touching it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.image.disasm import decode_one
from emu.lab import Lab
from emu.machine.unicorn_layout import (
    RIP,
)
from emu.moves.plan import Plan
from emu.scene import scene
from emu.scene.scene import Byte, Scene, Version
from emu.scene.tour import Tour
from tests.labs import FUNCTION, MODELS, SECOND, each_step, in_and_out, loaded, plans, redirected
from tests.scene.tours import of_recorded


def agrees(lab: Lab, plan: Plan, picture: Scene) -> None:
    """Assert that a scene shows what machine and guest say."""
    machine = lab.machine
    assert (picture.time, picture.instructions) == (machine.now, machine.retired())
    assert [core.number for core in picture.cores] == list(range(machine.cores))
    for site, change in zip(picture.sites, plan.changes, strict=True):
        assert site.address == change.address
        assert {site.old, site.new} == {change.old, change.new}
        memory = lab.guest.read(site.address, 5)
        assert bytes(byte.value for byte in site.memory) == memory
        assert not any(byte.stale for byte in site.memory)
        for code, text in ((memory, site.decoded), (site.old, site.old_text)):
            assert text == _text(code, site.address)
        assert site.new_text == _text(site.new, site.address)
    for core in picture.cores:
        assert core.task == str(lab.guest.current(core.number))
        rip = machine.register(core.number, RIP)
        assert core.place == lab.image.symbols.describe(rip)
        for index, change in enumerate(plan.changes):
            for at, byte in enumerate(core.sites[index]):
                versions = machine.versions(core.number, lab.guest.physical(change.address + at))
                assert byte.newest == versions[0] == lab.guest.read(change.address + at, 1)[0]
                assert byte.value == versions[-1]
                assert byte.stale == (len(set(versions)) > 1)
                if lab.machine.model == "coherent":
                    assert not byte.stale
        assert core.stale == any(byte.stale for site in core.sites for byte in site)


def _text(code: bytes, address: int) -> str:
    instruction = decode_one(code, address)
    return f"{instruction.mnemonic} {instruction.op_str}".strip()


@pytest.mark.parametrize("name", ["drain", "sync1", "tail-first", "unsorted"])
@pytest.mark.parametrize("model", MODELS)
def test_a_scene_shows_what_each_core_may_fetch(name: str, model: str) -> None:
    scenes = of_recorded(name, model, agrees)
    stale = sum(core.stale for each in scenes for core in each.cores)
    assert (stale > 0) == (model != "coherent")


def test_taking_scenes_has_no_effect() -> None:
    ends = []
    for looking in (True, False):
        lab = loaded("sdm", seed=41)
        redirects = redirected(lab, FUNCTION, SECOND)
        tour = Tour(lab.guest, lab.patcher, lab.detectors.watched)  # type: ignore[union-attr]
        inward, _ = plans(lab, redirects)

        def look(lab: Lab = lab, tour: Tour = tour, looking: bool = looking) -> None:
            if looking and lab.patcher.index % 9 == 0:
                before = lab.hash(), lab.machine.moves, len(lab.machine.events)
                tour.after_step()
                tour.picture("", "again")
                assert (lab.hash(), lab.machine.moves, len(lab.machine.events)) == before
            elif looking:
                tour.after_step()

        each_step(lab, inward, look)
        lab.run(instructions=20_000)
        ends.append((lab.hash(), lab.machine.moves, lab.verdict()))
    assert ends[0] == ends[1]


def test_the_tour_shows_every_plan_once_more() -> None:
    lab = loaded("sdm", seed=42)
    redirects = redirected(lab)
    tour = Tour(lab.guest, lab.patcher, lab.detectors.watched)  # type: ignore[union-attr]
    shown: list[Scene] = []

    def look() -> None:
        if found := tour.after_step():
            shown.append(found)

    for plan in plans(lab, redirects):
        each_step(lab, plan, look)
    phases = ["arm", "int3", "sync1", "tail", "sync2", "head", "sync3", "drain", "done"]
    assert [each.phase for each in shown] == phases * 2
    versions = [shown[at].sites[0].memory[0].version for at in (0, 1, 5, 9, 10, 14)]
    assert [v.value for v in versions] == ["old", "int3", "new", "new", "int3", "old"]


def test_scenes_are_values() -> None:
    lab = loaded("sdm", seed=43)
    (redirect,) = redirected(lab)
    watched = lab.detectors.watched  # type: ignore[union-attr]
    one, other = (scene.take(lab.guest, watched, "arm", "words") for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    before = dataclasses.replace(one)
    in_and_out(lab, plans(lab, [redirect]), 1)
    assert one == before
    assert scene.take(lab.guest, watched, "arm", "words") != one
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.phase = "tail"  # type: ignore[misc]


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.integers(0, 4))
def test_what_a_byte_is(value: int, old: int, new: int, index: int) -> None:
    version = scene.version(value, old, new, index)
    assert (version is Version.BOTH) == (value == old == new)
    if version is Version.OLD:
        assert value == old
    if version is Version.NEW:
        assert value == new != old
    if value == 0xCC and value not in (old, new):
        assert version is (Version.INT3 if index == 0 else Version.OTHER)
    assert Byte(value, old, version).stale == (value != old)
