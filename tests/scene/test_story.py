"""Every sentence of the story is true when it is told, of broken protocols too.

Here it is said once more, sentence by sentence, what memory must be like for each.
"""

import re
from collections.abc import Callable

import pytest

from emu.image.objects import Object
from emu.lab import Lab
from emu.moves.plan import PHASES, Change, Ipi, Plan, Wait
from emu.moves.schedule import MODELS
from emu.patch.breaks import BREAKS
from emu.patch.text_poke import NOP5
from emu.scene.scene import Scene
from emu.scene.tour import Tour
from tests.labs import FUNCTION, each_step, loaded, plans, redirected
from tests.scene.tours import of_recorded

CORES = 4


class Facts:
    """What memory says at the moment of a scene, read without the code that tells the story."""

    def __init__(self, lab: Lab, plan: Plan) -> None:
        self.change: Change = plan.changes[0]
        self.memory = lab.guest.read(self.change.address, 5)
        self.head = self.memory[0]
        self.new_tail = self.memory[1:] == self.change.new[1:]
        self.old_tail = self.memory[1:] == self.change.old[1:]
        pending = lab.guest.objects["sync_core_pending"]
        assert isinstance(pending, Object)
        self.pending = [core for core in range(CORES) if pending[core] == 1]
        self.refs = int.from_bytes(lab.guest.read(address(lab, "bp_desc") + 12, 4), "little")
        first = lab.guest.read(address(lab, "tp_vec"), 32)
        self.sites = [int.from_bytes(first[at : at + 4], "little") for at in (0, 16)]
        acts_nop = first[9] == 0xE9 and first[4:8] == bytes(4)
        self.skips = acts_nop and self.change.new != NOP5
        self.sorted = len(plan.changes) == 1 or self.sites == sorted(self.sites)
        step = lab.patcher.plan.steps[lab.patcher.index] if lab.patcher.plan else None
        before = lab.patcher.plan.steps[lab.patcher.index - 1] if lab.patcher.plan else None
        self.sent = isinstance(before, Ipi)
        self.waits = isinstance(step, Wait) and not lab.machine.patcher_can_move()


def address(lab: Lab, name: str) -> int:
    return lab.image.symbols[name].address


def cores(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d", text)]


TRUTHS: list[tuple[str, Callable[[Facts, str], bool]]] = [
    (r"waits until (cores? .*) have done it", lambda f, s: cores(s) == f.pending and f.waits),
    ("has just been sent. This is before they do", lambda f, _: f.sent and bool(f.pending)),
    ("Every core that was told to serialise has done so", lambda f, _: not f.pending),
    ("code itself is untouched", lambda f, _: f.memory == f.change.old and f.refs == 1),
    ("the code has been changed before", lambda f, _: f.memory != f.change.old and f.refs >= 1),
    ("Memory now begins with int3", lambda f, _: f.head == 0xCC),
    ("already behaves as the new", lambda f, _: f.refs >= 1 and f.sorted and not f.skips),
    ("The handler knows of no site", lambda f, _: f.refs == 0),
    ("The handler does not find (.*):", lambda f, s: not f.sorted and s == FUNCTION),
    ("The handler skips the site", lambda f, _: f.skips),
    ("the int3 stands in front", lambda f, _: f.head == 0xCC and f.new_tail),
    ("no int3 stands in front", lambda f, _: f.head != 0xCC and f.new_tail),
    ("holds the whole new instruction", lambda f, _: f.memory == f.change.new),
    ("a tail that is still the old", lambda f, _: f.head == f.change.new[0] and f.old_tail),
    ("no handler holds one", lambda f, _: f.refs == 0 and not f.waits),
    (r"it waits for (\d+) that handlers hold", lambda f, s: f.refs == int(s) > 0 and f.waits),
    ("waits for nobody", lambda f, _: not f.waits),
    ("done; memory holds the new", lambda f, _: f.memory == f.change.new and not f.waits),
    ("done, but memory does not hold", lambda f, _: f.memory != f.change.new and not f.waits),
]


def check(lab: Lab, plan: Plan, scene: Scene) -> None:
    """Assert that a sentence says something, and nothing that is not so."""
    facts, said = Facts(lab, plan), 0
    for pattern, true in TRUTHS:
        if found := re.search(pattern, scene.sentence):
            said += 1
            assert true(facts, found[1] if found.groups() else ""), (scene.phase, scene.sentence)
    assert said, f"nobody says when this is true: {scene.sentence}"


CELLS = [
    pytest.param(name, model, marks=[] if model == "sdm" else pytest.mark.slow)
    for name in BREAKS
    for model in MODELS
]


@pytest.mark.parametrize(("name", "model"), CELLS)
def test_every_sentence_is_true(name: str, model: str) -> None:
    scenes = of_recorded(name, model, check)
    assert len(scenes) >= 2
    assert all(scene.sentence for scene in scenes)


@pytest.mark.parametrize("model", MODELS)
def test_the_whole_story_is_true(model: str) -> None:
    lab = loaded(model, seed=51)
    redirects = redirected(lab)
    tour = Tour(lab.guest, lab.patcher, lab.detectors.watched)  # type: ignore[union-attr]
    for plan in plans(lab, redirects):
        scenes: list[Scene] = []

        def look(plan: Plan = plan, scenes: list[Scene] = scenes) -> None:
            if found := tour.after_step():
                scenes.append(found)
                check(lab, plan, found)

        each_step(lab, plan, look)
        assert tuple(scene.phase for scene in scenes) == PHASES
        texts = [scene.sentence for scene in scenes]
        assert len(set(texts)) >= 7
        assert "until cores 0, 1, 2 and 3 have done it" in texts[2]


@pytest.mark.parametrize(
    ("name", "phase", "says"),
    [
        ("arm", "int3", "The handler knows of no site"),
        ("int3", "tail", "no int3 stands in front of them"),
        ("head-first", "head", "in front of a tail that is still the old one"),
        ("emulate", "int3", "The handler skips the site"),
        ("unsorted", "int3", f"The handler does not find {FUNCTION}"),
        ("missed-core", "sync1", "until cores 0, 1 and 2 have done it"),
    ],
)
def test_a_break_is_told_where_it_is_made(name: str, phase: str, says: str) -> None:
    scenes = of_recorded(name, "sdm", lambda *_: None)
    (sentence,) = [scene.sentence for scene in scenes if scene.phase == phase]
    assert says in sentence
