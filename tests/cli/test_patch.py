"""textpoke patch: what it counts, how it ends, what it refuses."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emu.moves.schedule import Schedule
from tests.cli.conftest import Command
from tests.image.elf_builder import Builder
from tests.labs import FUNCTION
from tests.patch.c_source import PATCHES, needs_gcc

ARGUMENTS = ("patch", "toy", FUNCTION, "--append", "load", "--steps", "50_000")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "new.s"
    path.write_text("mov eax, 42\nret\n")
    return path


def in_another_process(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "emu.cli.main", *map(str, words)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        env=os.environ | {"COLUMNS": "80"},
    )  # fmt: skip


def test_counts_and_verdict_for_people(textpoke: Command, source: Path) -> None:
    said = textpoke(*ARGUMENTS, "--with", source)
    assert said.status == 0
    assert said.err == "textpoke: moves are chosen at random from seed 1\n"
    lines = said.out.decode().splitlines()
    assert all(line.startswith("guest: ") for line in lines[:-4])
    lines = lines[-4:]
    assert lines[0].startswith("calls ")
    assert lines[2] == "HAZARD 0, torn 0, harmful 0, unhandled int3 0"
    assert lines[3] == "verdict: safe"


def test_json_is_one_line_with_the_same_counts(textpoke: Command, source: Path) -> None:
    said = textpoke(*ARGUMENTS, "--with", source, "--json", "--seed", 3)
    (line,) = said.out.decode().splitlines()
    document = json.loads(line)
    assert (said.status, said.err) == (0, "")
    assert (document["verdict"], document["status"], document["seed"]) == ("safe", 0, 3)
    assert (document["functions"], document["model"], document["cores"]) == ([FUNCTION], "sdm", 4)
    counts = document["counts"]
    assert counts["calls"] == counts["old"] + counts["new"]
    assert counts["new"] > counts["old"] > 0
    text = textpoke(*ARGUMENTS, "--with", source, "--seed", 3).out.decode()
    assert f"calls {counts['calls']:,} = old body {counts['old']:,} + " in text
    assert f"int3s taken {counts['int3']:,}, stale fetches" in text


@pytest.mark.parametrize("model", ["coherent", "observed", "intel2010"])
def test_options_reach_the_machine(
    textpoke: Command, source: Path, tmp_path: Path, model: str
) -> None:
    path = tmp_path / "run.json"
    words = ("--model", model, "--cores", 2, "--ram", 32, "--save", path)
    said = textpoke(*ARGUMENTS, "--with", source, *words)
    assert said.status == 0
    setup = Schedule.read(path).machine
    assert (setup.model, setup.cores, setup.ram_mib) == (model, 2, 32)
    assert setup.command_line == "load"


def test_two_processes_with_one_schedule_end_in_one_state(
    textpoke: Command, source: Path, tmp_path: Path
) -> None:
    paths = tmp_path / "one.json", tmp_path / "again.json"
    first = textpoke(*ARGUMENTS, "--with", source, "--json", "--seed", 5, "--save", paths[0])
    here = json.loads(first.out)
    source.unlink()  # the replacement is in the schedule
    there = in_another_process("replay", paths[0], "--json", "--save", paths[1])
    assert (there.returncode, there.stderr) == (0, "")
    again = json.loads(there.stdout)
    assert again == {name: value for name, value in here.items() if name in again}
    shown = textpoke("replay", paths[0], "--hash")
    assert shown.out.decode().splitlines()[-1] == here["hash"]
    assert textpoke("replay", paths[1], "--hash").out == shown.out


def test_the_seed_decides_everything(textpoke: Command, source: Path) -> None:
    def end(seed: int) -> str:
        said = textpoke(*ARGUMENTS, "--with", source, "--json", "--seed", seed)
        return str(json.loads(said.out)["hash"])

    assert end(6) == end(6) != end(7)


def test_a_replacement_that_kills_the_kernel_is_status_4(textpoke: Command, source: Path) -> None:
    source.write_text("ud2\n")
    said = textpoke(*ARGUMENTS, "--with", source)
    assert said.status == 4
    assert "verdict: safe" in said.out.decode()
    assert said.err.count("the guest ended the machine with exit value 1 after ") == 1
    assert f"before that: invalid opcode (#UD) at livepatch: {FUNCTION} (" in said.err
    assert "the last 32 moves, and where the core stood before:" in said.err
    assert "    panic: invalid opcode at " in said.err
    document = json.loads(textpoke(*ARGUMENTS, "--with", source, "--json").out)
    assert document["status"] == 4
    assert f"livepatch: {FUNCTION}" in document["report"]["sentence"]
    assert "panic: invalid opcode" in document["serial"]


def test_a_replacement_that_shuts_a_core_down_is_reported_once(
    textpoke: Command, source: Path
) -> None:
    source.write_text("push 0\npush 0\nlidt [rsp]\nud2\n")
    said = textpoke(*ARGUMENTS, "--with", source)
    assert said.status == 4
    assert said.err.count("shut down (triple fault): ") == 1
    assert f"shut down, RIP livepatch: {FUNCTION}" in said.err
    assert said.out.decode().endswith("but the guest died\n")
    path = source.parent / "run.json"
    saved = textpoke(*ARGUMENTS, "--with", source, "--json", "--save", path)
    assert (saved.status, len(saved.err.splitlines())) == (4, 1)
    assert textpoke("replay", path).status == 4


def test_a_text_that_is_not_printed_is_a_bound_that_was_reached(
    textpoke: Command, source: Path
) -> None:
    said = textpoke(*ARGUMENTS, "--with", source, "--until", "never")
    assert said.status == 6
    (_, said_last) = said.err.splitlines()
    assert said_last.startswith("textpoke: 'never' was not seen; the bound was reached after ")


@pytest.mark.parametrize("steps", [5, 5000])
def test_a_bound_within_the_patch_is_the_same_when_it_is_replayed(
    textpoke: Command, source: Path, tmp_path: Path, steps: int
) -> None:
    path = tmp_path / "run.json"
    said = textpoke("patch", "toy", FUNCTION, "--with", source, "--save", path, "--steps", steps)
    again = textpoke("replay", path)
    assert (said.status, again.status) == (6, 6)
    where = said.err.split("the patch was not in, ")[1].split(";")[0]
    assert f"the run ends before the patcher does, {where}\n" in again.err
    assert where.startswith("in phase " if steps > 5 else "its code was still being written")


@pytest.mark.parametrize(("phase", "missed"), [("sync1", "the patch was not in"), ("done", "")])
def test_an_interrupted_patch_is_kept(
    textpoke: Command, source: Path, tmp_path: Path, phase: str, missed: str
) -> None:
    path = tmp_path / "run.json"
    words = ("patch", "toy", FUNCTION, "--with", source, "--undo", "--steps", "1e12", "--json")
    code = (
        "import os, signal, sys; from emu.cli.main import main; from emu.lab import Lab;"
        "from emu.patch.patcher import Patcher; enter = Patcher._enter_phase;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"  # a shell may ignore it
        f"Patcher._enter_phase = lambda p, name: (name == {phase!r}"
        " and os.kill(os.getpid(), signal.SIGINT), enter(p, name))[1];"
        f"sys.exit(main({[*map(str, words), '--save', str(path)]!r}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    document = json.loads(run.stdout)
    assert (run.returncode, document["status"], document["undone"]) == (130, 130, False)
    last = run.stderr.splitlines()[-1].removeprefix("textpoke: ")
    assert last.startswith(missed or "interrupted after ")
    assert "interrupted after " in last
    again = textpoke("replay", path, "--json")
    assert again.status == (6 if missed else 0)
    assert json.loads(again.out)["hash"] == document["hash"]


def test_a_text_ends_the_run(textpoke: Command, source: Path) -> None:
    words = ("patch", "toy", "check_hlt", "--append", "selftest", "--with", source)
    said = textpoke(*words, "--until", "ok ring", "--steps", "1e9", "--json")
    assert said.status == 0
    assert json.loads(said.out)["instructions"] < 50_000_000


# --- several functions, and back again ---------------------------------------------------------


def test_several_functions_are_one_batch(textpoke: Command, source: Path, tmp_path: Path) -> None:
    second = tmp_path / "second.s"
    second.write_text("xor eax, eax\nret\n")
    path = tmp_path / "run.json"
    words = ("patch", "toy", FUNCTION, "vfs_write", "--append", "load", "--steps", "400_000")
    said = textpoke(*words, "--with", source, "--with", second, "--json", "--save", path)
    document = json.loads(said.out)
    assert (said.status, document["functions"]) == (0, [FUNCTION, "vfs_write"])
    counts = document["counts"]
    assert counts["calls"] == counts["old"] + counts["new"] > 100
    (plan,) = Schedule.read(path).plans
    assert plan.name == f"patch {FUNCTION}, vfs_write in"
    assert len(plan.changes) == 2


def test_undo_gives_the_functions_back(textpoke: Command, source: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    words = ("patch", "toy", FUNCTION, "--append", "load", "--steps", "400_000", "--with", source)
    there = json.loads(textpoke(*words, "--json").out)
    said = textpoke(*words, "--undo", "--json", "--save", path)
    back = json.loads(said.out)
    assert (there["undone"], back["undone"]) == (False, True)
    assert (said.status, back["verdict"]) == (0, "safe")
    assert there["counts"]["old"] < 20
    assert min(back["counts"]["new"], back["counts"]["old"]) > 150
    assert back["instructions"] > 600_000
    assert [plan.name.split()[-1] for plan in Schedule.read(path).plans] == ["in", "out"]
    again = json.loads(textpoke("replay", path, "--json").out)
    assert (again["hash"], again["counts"]) == (back["hash"], back["counts"])


def test_undo_after_a_text_that_was_not_seen_is_still_a_bound(
    textpoke: Command, source: Path
) -> None:
    said = textpoke(*ARGUMENTS, "--with", source, "--until", "never", "--undo", "--json")
    document = json.loads(said.out)
    assert (said.status, document["status"], document["undone"]) == (6, 6, True)


def test_a_guest_that_dies_before_is_not_undone(textpoke: Command, source: Path) -> None:
    source.write_text("ud2\n")
    said = textpoke(*ARGUMENTS, "--with", source, "--undo", "--json")
    assert said.status == 4
    assert json.loads(said.out)["undone"] is False


# --- replacements in C -------------------------------------------------------------------------


@needs_gcc
def test_a_run_with_a_replacement_in_c_replays_without_a_compiler(
    textpoke: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    words = ("patch", "toy", "vfs_read", "--with", PATCHES / "vfs_read.c", "--save", path)
    said = textpoke(*words, "--until", "vfs_read: cut", "--json", "--undo", "--steps", "100_000")
    document = json.loads(said.out)
    assert (said.status, said.err) == (0, "")
    assert "vfs_read: cut to 4 bytes" in document["serial"]
    monkeypatch.setenv("PATH", str(tmp_path))
    again = json.loads(textpoke("replay", path, "--json").out)
    assert (again["hash"], again["counts"]) == (document["hash"], document["counts"])


@needs_gcc
def test_what_the_guest_printed_since_is_shown(textpoke: Command) -> None:
    words = ("patch", "toy", "vfs_read", "--with", PATCHES / "vfs_read.c")
    lines = textpoke(*words, "--until", "vfs_read: cut").out.decode().splitlines()
    assert lines[0].startswith("guest: vfs_read: cut")
    assert lines[-1] == "verdict: safe"


@needs_gcc
def test_what_the_compiler_says_is_shown_and_the_sentence_is_last(
    textpoke: Command, tmp_path: Path
) -> None:
    path = tmp_path / "fix.c"
    path.write_text(
        "#include <toy/defs.h>\nint cmdline_proc_show(struct seq_file *m)\n{ int x; }\n"
    )
    said = textpoke(*ARGUMENTS, "--with", path)
    assert said.status == 0
    assert "  fix.c:3:7: warning: unused variable 'x' [-Wunused-variable]" in said.err.splitlines()
    path.write_text("int cmdline_proc_show(void) { return nothing; }\n")
    said = textpoke(*ARGUMENTS, "--with", path)
    *more, last = said.err.splitlines()
    assert (said.status, said.out) == (2, b"")
    assert last.startswith("textpoke: fix.c does not compile: line 1: 'nothing' undeclared")
    assert any(line.startswith("  fix.c:1:38: error: 'nothing'") for line in more)


def test_without_a_compiler_a_sentence_says_what_to_do(
    textpoke: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    said = textpoke("patch", "toy", "vfs_read", "--with", PATCHES / "vfs_read.c").refusal()
    assert said.startswith("a replacement in C needs gcc, which is not here: install it")


# --- what is refused: one line, status 2, nothing else -----------------------------------------


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("cmdline_proc_shwo", "did you mean cmdline_proc_show"),
        ("nothing_like_it_at_all", "no function 'nothing_like_it_at_all'"),
        ("exc_int3", "has no site"),
        ("bp_desc", "'bp_desc'"),
        ("", "''"),
    ],
)
def test_a_function_that_cannot_be_patched(
    textpoke: Command, source: Path, function: str, says: str
) -> None:
    said = textpoke("patch", "toy", function, "--with", source)
    assert says in said.refusal()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mov eax, 1\nmov eax, nonsense_here\nret\n", "new.s:2: "),
        ("mov eax\nret\n", "new.s:1: "),
        ("", "new.s:1: nothing to assemble"),
        ("# only a comment\n", "new.s:1: nothing to assemble"),
        ("ret\ncall cmdline_proc_shwo\n", "did you mean cmdline_proc_show"),
        (".zero 4000\n.zero 4000\n", "new.s:2: over 4096 bytes"),
    ],
)
def test_a_replacement_that_does_not_assemble(
    textpoke: Command, source: Path, text: str, says: str
) -> None:
    source.write_text(text)
    said = textpoke("patch", "toy", FUNCTION, "--with", source).refusal()
    assert says in said
    assert said.startswith("new.s:")


def test_a_replacement_that_cannot_be_read(textpoke: Command, tmp_path: Path) -> None:
    missing = textpoke("patch", "toy", FUNCTION, "--with", tmp_path / "none.s").refusal()
    assert "none.s: No such file" in missing
    folder = textpoke("patch", "toy", FUNCTION, "--with", tmp_path).refusal()
    assert "Is a directory" in folder
    binary = tmp_path / "binary.s"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    said = textpoke("patch", "toy", FUNCTION, "--with", binary).refusal()
    assert "not a text file" in said
    binary.write_bytes(b"#" * ((1 << 20) + 1))
    assert "bytes" in textpoke("patch", "toy", FUNCTION, "--with", binary).refusal()


def test_images_models_and_places_that_are_none(
    textpoke: Command, source: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.elf"
    bare.write_bytes(dataclasses.replace(Builder()).build())
    said = textpoke("patch", bare, "f", "--with", source).refusal()
    assert "bare.elf cannot be patched: it lacks bp_desc" in said
    assert "No such file" in textpoke("patch", tmp_path / "no", "f", "--with", source).refusal()
    words = ("patch", "toy", FUNCTION, "--with", source)
    said = textpoke(*words, "--model", "sequential").refusal()
    assert "no fetch model 'sequential': there are coherent, observed, intel2010, sdm" in said
    assert "no" in textpoke(*words, "--save", tmp_path / "none" / "run.json").refusal().lower()
    for option in (("--cores", 9), ("--seed", -1), ("--steps", "many")):
        textpoke(*words, *option).refusal()
    textpoke("patch", "toy", FUNCTION).refusal()
