"""The parts of a scene: chapters, tasks, listing and call path, against what a lab says."""

import pytest

from emu.image.listing import listing as image_listing
from emu.lab import Lab
from emu.moves.plan import PHASES, Phase
from emu.patch.breaks import BREAKS
from emu.scene.chapter import chapters
from emu.scene.narrator import LISTING, MOST_SITES, PATH, TASKS, Narrator
from emu.scene.outline import Outline
from emu.scene.scene import Scene
from tests.labs import FUNCTION, loaded, plans, redirected

PARTS = frozenset({TASKS, LISTING, PATH})


def look(lab: Lab, address: int | None = None) -> Scene:
    assert lab.detectors is not None
    narrator = Narrator(lab.image, lab.detectors, lambda: lab.placed)
    return narrator.scene(lab.guest, lab.patcher, needs=PARTS, address=address)


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = loaded("sdm", 21)
    redirected(lab)
    return lab


@pytest.mark.parametrize("broken", [None, *BREAKS])
def test_chapters_are_the_plans_and_what_it_lacks(lab: Lab, broken: str | None) -> None:
    assert lab.detectors is not None
    (redirect,) = (r for r in lab.detectors.watched)
    plan, _ = plans(lab, [lab.arena.redirect(FUNCTION, "ret\n")], broken)
    outline, online = Outline(plan), lab.guest.online()
    there = [step.name for step in plan.steps if isinstance(step, Phase)]
    for index in range(len(plan.steps)):
        found = chapters(outline, index, online)
        begun = sum(isinstance(step, Phase) for step in plan.steps[:index])
        kept = [each for each in found if each.status != "left out"]
        assert [each.phase for each in kept] == there
        states = ["done"] * (begun - 1) + ["now"] * (begun > 0)
        assert [each.status for each in kept] == states + ["to come"] * (len(there) - begun)
        assert {each.phase for each in found} == set(PHASES)
    assert {each.status for each in chapters(outline, None, online)} <= {"done", "left out"}
    does = {each.phase: each.does for each in found}
    assert does["int3"] == ("int3" if broken == "int3" else "cc .. .. .. ..")
    new = plan.changes[0].new.hex(" ")
    assert (does["tail"], does["head"]) == (f".. {new[3:]}", f"{new[:2]} .. .. .. ..")
    assert does["drain"] == ("no wait" if broken == "drain" else "wait")
    assert does["sync2"] == ("IPI, not to 3" if broken == "missed-core" else "IPI")
    if broken == "sync2":
        assert [each.phase for each in found] == list(PHASES)
        assert found[4].status == "left out"
    assert redirect.function == FUNCTION


def test_a_listing_is_what_memory_holds_and_a_site_is_one_row(lab: Lab) -> None:
    site = lab.image.sites.of(FUNCTION)
    other = lab.image.symbols["vfs_read"].address
    for address in (None, site + 6, other):
        listing = look(lab, address).listing
        assert listing is not None
        begin = lab.image.symbols[listing.title]
        code = b"".join(row.code for row in listing.rows)
        assert code == lab.guest.read(begin.address, begin.size)
        end = begin.address + begin.size
        rows = list(image_listing(lab.image, begin.address, end, lab.guest.read))
        assert [row.address for row in listing.rows] == [r.instruction.address for r in rows]
        assert [row.place for row in listing.rows] == [r.place and str(r.place) for r in rows]
        assert [row.symbol for row in listing.rows] == [r.symbol for r in rows]
        assert [row.site for row in listing.rows] == [r.site for r in rows]
        if address is not None:
            index = listing.row_of(address)
            assert index is not None
            assert listing.rows[index].address <= address


def test_a_site_that_changes_stays_one_row_and_placed_code_is_listed() -> None:
    lab = loaded("sdm", 22)
    (redirect,) = redirected(lab)
    inward, _ = plans(lab, [redirect])
    lab.request(inward)
    lab.run(stop=lambda: lab.guest.read(redirect.site, 1) == b"\xcc")
    listing = look(lab).listing
    assert listing is not None
    assert (listing.rows[0].text, len(listing.rows[0].code)) == ("int3", 5)
    lab.run(stop=lambda: lab.patcher.done)
    listing, trampoline = look(lab).listing, look(lab, redirect.trampoline).listing
    body = look(lab, redirect.replacement).listing
    assert listing is not None
    assert trampoline is not None
    assert body is not None
    assert listing.rows[0].text == f"call trampoline of {FUNCTION}"
    assert trampoline.title == f"trampoline of {FUNCTION}"
    assert [row.text for row in trampoline.rows] == ["lea rsp, [rsp + 8]", f"jmp {FUNCTION}"]
    assert [row.text for row in body.rows] == ["mov eax, 0x2a", "ret"]
    assert look(lab, 0x1000).listing is None


def test_tasks_and_path_say_where_everybody_stands() -> None:
    lab = loaded("sdm", 23)
    redirect = lab.arena.redirect(FUNCTION, "mov eax, 42\n" + 60 * "nop\n" + "ret\n")
    lab.watch([redirect])
    regions = set()
    for plan in plans(lab, [redirect]):
        lab.request(plan)
        for _ in range(400):
            lab.run(instructions=70, stop=lambda: True)
            scene = look(lab)
            assert scene.tasks is not None
            assert scene.path is not None
            tasks = {task.address: task for task in lab.guest.tasks()}
            assert [row.address for row in scene.tasks] == list(tasks)
            at = {node.role: set(node.cores) for node in scene.path.nodes}
            assert [node.role for node in scene.path.nodes] == [
                "caller", "function", "int3", "trampoline", "replacement"
            ]  # fmt: skip
            for row in scene.tasks:
                task = tasks[row.address]
                assert (row.status == "running") == (task.core is not None)
                names = [frame.function for frame in lab.guest.stack(task).frames]
                stands = {
                    "int3": "asm_exc_int3" in names,
                    "trampoline": f"trampoline of {FUNCTION}" in names,
                    "new": f"livepatch: {FUNCTION}" in names,
                    "old": FUNCTION in names,
                    "elsewhere": True,
                }
                assert stands[row.region], (row, names)
                if row.region == "elsewhere":
                    assert not any(list(stands.values())[:-1]), (row, names)
                regions.add(row.region)
                roles = {"old": "function", "new": "replacement"}
                role = roles.get(row.region, row.region)
                for node in scene.path.nodes:
                    if task.core is not None and node.role != "caller":
                        assert (task.core in at[node.role]) == (node.role == role)
            if lab.patcher.done:
                break
    assert regions >= {"old", "int3", "new", "elsewhere"}


def test_of_many_sites_some_are_shown_and_the_selected_one() -> None:
    lab = loaded("sdm", 24)
    names = [name for name in lab.image.sites.functions if name.startswith("leaf_")][:40]
    redirects = [lab.arena.redirect(name, "mov eax, 1\nret\n") for name in names]
    lab.watch(redirects)
    (plan,) = lab.plan(redirects, inward=True)
    lab.request(plan)
    scene = look(lab, plan.changes[-1].address)
    assert len(scene.sites) == MOST_SITES
    assert [site.address for site in scene.sites[:2]] == [c.address for c in plan.changes[:2]]
    assert scene.sites[-1].address == plan.changes[-1].address
