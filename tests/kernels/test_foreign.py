"""A kernel that shares nothing with the toy kernel but poke.h can be patched: that is enough."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from emu.lab import boot
from emu.lab.player import Player
from emu.lab.scenario import Scenario
from emu.moves.schedule import MODELS
from tests.cli.conftest import Command, textpoke
from tests.labs import STOPS, in_and_out, plans

__all__ = ["textpoke"]

HERE = Path(__file__).parent
INCLUDE = HERE.parents[1] / "kernels" / "include"
FLAGS = [
    "-std=gnu11", "-O2", "-g", "-gdwarf-4", "-Wall",
    "-Werror", "-ffreestanding", "-nostdlib", "-static", "-no-pie", "-fno-pic",
    "-mno-red-zone", "-mgeneral-regs-only", "-fno-stack-protector", "-fcf-protection=none",
    "-fno-asynchronous-unwind-tables", "-pg", "-mfentry", "-mrecord-mcount", "-mnop-mcount",
    "-Wl,-z,max-page-size=4096", "-Wl,-z,noexecstack",
    "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments",
]  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("no gcc: apt-get install gcc")
    path = tmp_path_factory.mktemp("kernels") / "tiny.elf"
    sources = [HERE / "tiny.c", HERE / "tiny_entry.S"]
    files = [f"-I{INCLUDE}", "-T", HERE / "tiny.ld", "-o", path, *sources]
    made = subprocess.run(
        [gcc, *FLAGS, *map(str, files)], capture_output=True, text=True, check=False
    )
    if "mnop-mcount" in made.stderr or "unrecognized" in made.stderr:
        pytest.skip(f"this gcc cannot: {made.stderr.splitlines()[0]}")
    assert made.returncode == 0, made.stderr
    return path


def test_it_is_not_like_the_toy_kernel(tiny: Path) -> None:
    image = ElfImage.read(tiny)
    assert image.symbols["hot"].address < 1 << 31  # the toy's are in the upper half
    assert set(image.sites.functions) == {"hot", "warm"}
    assert "struct task" not in image.types


def test_patch_a_function_of_a_foreign_kernel(
    textpoke: Command, tiny: Path, tmp_path: Path
) -> None:
    source, path = tmp_path / "new.s", tmp_path / "run.json"
    source.write_text("mov rax, rdi\nret\n")
    words = ("patch", tiny, "hot", "--with", source, "--cores", 2, "--steps", "50_000")
    said = textpoke(*words, "--json", "--save", path)
    assert said.status == 0, said
    document = json.loads(said.out)
    counts = document["counts"]
    assert document["verdict"] == "safe"
    assert min(counts["old"], counts["new"], counts["int3"]) > 0
    assert counts["calls"] == counts["old"] + counts["new"]
    again = textpoke("replay", path, tiny, "--json")
    assert json.loads(again.out)["hash"] == document["hash"]
    assert "the schedule is for tiny.elf" in textpoke("replay", path).refusal()
    assert textpoke(*words, "--model", "coherent").status == 0
    assert "did you mean warm" in textpoke("patch", tiny, "warn", "--with", source).refusal()


def test_a_replacement_in_c_for_a_kernel_that_lies_low_and_has_no_headers(
    textpoke: Command, tiny: Path, tmp_path: Path
) -> None:
    include, source = tmp_path / "include", tmp_path / "new.c"
    include.mkdir()
    (include / "hot.h").write_text("u64 hot(u64 n);\n")
    source.write_text(
        "#include <poke.h>\n#include <hot.h>\nu64 hot(u64 n) { return n + cpus_online; }\n"
    )
    words = ("patch", tiny, "hot", "--with", source, "--cores", 2, "--steps", "50_000")
    said = textpoke(*words, "--include", include, "--json", "--undo")
    assert (said.status, said.err) == (0, "")
    assert json.loads(said.out)["counts"]["new"] > 100
    assert textpoke(*words).status == 2
    source.write_text("static int n;\nunsigned long hot(unsigned long x) { return n++ + x; }\n")
    refused = textpoke(*words).refusal()
    assert refused.startswith("new.c has variables of its own, and tiny.elf has no poke_data")


@pytest.mark.parametrize("model", MODELS)
def test_there_and_back_a_hundred_times(tiny: Path, model: str) -> None:
    lab = boot(tiny, cores=2, model=model, seed=4)
    lab.run_until_tasks()
    redirect = lab.arena.redirect("hot", "lea rax, [rdi + 1000]\nret\n")
    lab.watch([redirect])
    before = lab.guest.read(redirect.site, 5)
    in_and_out(lab, plans(lab, [redirect]), 100, between=300)
    lab.drain()
    verdict = lab.verdict()
    assert lab.machine.alive
    assert verdict.status == 0
    assert min(verdict.old, verdict.new, verdict.int3) > 100
    assert (verdict.stale > 0) == (model != "coherent")
    assert lab.guest.read(redirect.site, 5) == before
    assert [lab.guest.current(core) for core in range(2)] == [None, None]
    assert lab.guest.tasks() == ()


def test_a_player_shows_a_kernel_without_tasks(tiny: Path, tmp_path: Path) -> None:
    source = tmp_path / "new.s"
    source.write_text("mov rax, rdi\nret\n")
    player = Player.live(Scenario(str(tiny), "", ("hot",), (str(source),), cores=2))
    needs = frozenset({"tasks", "listing", "path"})
    scenes = []
    for phase in STOPS:
        player.next_phase()
        assert player.phase == phase
        scenes.append(player.scene(needs))
    assert all(scene.sentence and scene.tasks == () and scene.path for scene in scenes)
    assert all(len(lane.start) == 1 for lane in player.lanes().lanes)
    assert player.log().rows > 0
    for scene in scenes[-2::-1]:
        player.previous_phase()
        assert player.scene(needs) == scene
