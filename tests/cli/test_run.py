import dataclasses
import json
import re
from pathlib import Path

import pytest

from emu import resources
from emu.moves.schedule import Schedule
from tests.cli.conftest import Command
from tests.image.elf_builder import NOP5, Builder, note

HELLO = "b8 66 00 00 00  66 ba f8 03  ee  b0 0a  ee"  # print "f" and a newline on COM1
EXIT_3 = "b0 03  e6 f4"
HALT = "f4  eb fd"  # hlt, for ever
SPIN = "eb fe"
CRASH = "0f 0b"  # ud2 without an IDT: a triple fault


def kernel(folder: Path, code: str, **parts: object) -> Path:
    """Write a kernel of a few 32-bit instructions."""
    path = folder / "kernel.elf"
    builder = dataclasses.replace(Builder(), code=bytes.fromhex(code), **parts)  # type: ignore[arg-type]
    path.write_bytes(builder.build())
    return path


# --- how a run ends ----------------------------------------------------------------------------


def test_the_serial_line_is_standard_output_and_the_exit_port_the_status(
    textpoke: Command, tmp_path: Path
) -> None:
    said = textpoke("run", kernel(tmp_path, HELLO + EXIT_3))
    assert (said.status, said.out, said.err) == (7, b"f\n", "")


def test_a_text_ends_the_run_with_the_move_that_printed_it(textpoke: Command) -> None:
    said = textpoke("run", "toy", "--append", "selftest", "--until", "toy ker")
    assert said.status == 0
    assert said.out.startswith(b"textpoke toy ker")
    assert b"selftest: all ok" not in said.out


def test_a_text_counts_even_if_the_same_move_ends_the_machine(
    textpoke: Command, tmp_path: Path
) -> None:
    assert textpoke("run", kernel(tmp_path, HELLO + EXIT_3), "--until", "f").status == 0


def test_a_bound_ends_the_run(textpoke: Command, tmp_path: Path) -> None:
    said = textpoke("run", kernel(tmp_path, SPIN), "--steps", "1e3", "--json")
    assert said.status == 6
    assert json.loads(said.out)["instructions"] == 1000
    assert "1,000 instructions" in said.err


@pytest.mark.parametrize("code", [HALT, CRASH])
def test_a_dead_guest_is_reported_with_the_place(
    textpoke: Command, tmp_path: Path, code: str
) -> None:
    said = textpoke("run", kernel(tmp_path, code), "--cores", 1)
    assert (said.status, said.out) == (4, b"")
    assert re.search(r"core 0 .*in first.* \(0x20000.\)", said.err.splitlines()[0]), said.err


def test_the_hash_is_the_last_line_and_the_same_again(textpoke: Command, tmp_path: Path) -> None:
    image = kernel(tmp_path, "b0 21 66 ba f8 03 ee" + EXIT_3)  # "!", no newline
    first, second = (textpoke("run", image, "--hash", "--seed", 5) for _ in range(2))
    assert re.fullmatch(rb"!\n[0-9a-f]{32}\n", first.out)
    assert first == second
    assert first.err == "textpoke: moves are chosen at random from seed 5\n"


def test_another_seed_is_another_run(textpoke: Command) -> None:
    words = ("run", "toy", "--steps", "300_000", "--hash")
    hashes = {textpoke(*words, "--seed", seed).out.split()[-1] for seed in (1, 2)}
    assert len(hashes) == 2


def test_json_has_everything_in_one_line(textpoke: Command, tmp_path: Path) -> None:
    said = textpoke("run", kernel(tmp_path, HELLO + EXIT_3), "--json", "--seed", 9)
    assert said.status == 7
    (line,) = said.out.splitlines()
    found = json.loads(line)
    assert found.pop("instructions") == 7
    assert found.pop("virtual_ns") >= 7
    assert found.pop("moves") >= 1
    assert (found.pop("hash"), found.pop("report")) == (None, None)
    assert "debug-exit" in found.pop("ended_by")
    assert found == {"status": 7, "end": "exit", "exit_value": 3, "seed": 9, "serial": "f\n"}


def test_a_run_is_saved(textpoke: Command, tmp_path: Path) -> None:
    image, file = kernel(tmp_path, HELLO + EXIT_3), tmp_path / "run.json"
    hashed = textpoke("run", image, "--hash", "--save", file, "--cores", 2).out.split()[-1]
    saved = Schedule.read(file)
    assert saved.machine.cores == 2
    assert saved.image.name == "kernel.elf"
    assert saved.end is not None
    assert saved.end.hash == hashed.decode()


def test_clock_and_faults_are_in_the_schedule(textpoke: Command, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    words = ("--append", "load", "--seed", 4, "--steps", "2_000_000", "--cores", 2)
    said = textpoke("run", "toy", *words, "--clock", "chosen", "--faults", 3, "--save", file)
    assert said.status in (4, 6), said
    saved = Schedule.read(file)
    assert saved.machine.clock == "chosen"
    assert [getattr(segment, "faults", 0) for segment in saved.segments] == [3]
    assert textpoke("replay", file, "toy").status == 0


# --- what is refused ---------------------------------------------------------------------------


def test_an_image_that_is_not_there(textpoke: Command, tmp_path: Path) -> None:
    assert "No such file" in textpoke("run", tmp_path / "none.elf").refusal()
    assert "not a file" in textpoke("run", tmp_path).refusal()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not an ELF"),
        (b"#!/bin/sh\n" * 20, "not an ELF"),
        (Builder(machine=183).build(), "another architecture"),
        (Builder(elf_class=3).build(), "not a little-endian ELF file of 32 or 64 bits"),
        (Builder().build()[:250], "truncated"),
        (Builder(paddr=1 << 30, notes=note(1 << 30)).build(), "lies outside the 64 MiB of RAM"),
        (Builder(notes=b"").build(), "no PVH note"),
    ],
    ids=["empty", "script", "other machine", "no class", "truncated", "outside RAM", "no note"],
)
def test_an_image_that_is_none(textpoke: Command, tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "bad.elf"
    path.write_bytes(data)
    assert said in textpoke("run", path).refusal()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cores", "9"], "--cores"),
        (["--cores", "0"], "--cores"),
        (["--cores", "four"], "--cores"),
        (["--ram", "1"], "--ram"),
        (["--seed", "-1"], "--seed"),
        (["--seed", str(1 << 64)], "--seed"),
        (["--steps", "0"], "--steps"),
        (["--steps", "1.5"], "--steps"),
        (["--steps", "many"], "--steps"),
        (["--steps", "1e99"], "--steps"),
        (["--model", "arm"], "no fetch model 'arm'"),
        (["--engine", "slow"], "no engine 'slow': there are compiled and reference"),
        (["--until", ""], "--until"),
        (["--append", "x" * 3000], "command line"),
        (["--save", "none/run.json"], "there is no folder"),
        (["--faster"], "--faster"),
        (["--clock", "sundial"], "no clock 'sundial'"),
        (["--faults", "9"], "they need a seed"),
        (["--faults", "0", "--seed", "1"], "--faults"),
        (["another"], "another"),
    ],
    ids=str,
)
def test_an_option_that_makes_no_sense(textpoke: Command, words: list[str], said: str) -> None:
    assert said in textpoke("run", "toy", *words).refusal()


def test_an_image_must_be_named(textpoke: Command) -> None:
    assert "IMAGE" in textpoke("run").refusal()


def test_toy_is_a_word_and_a_path(textpoke: Command) -> None:
    words = ("--steps", "50_000", "--hash")
    assert textpoke("run", "toy", *words) == textpoke("run", resources.toy(), *words)


def test_both_engines_end_in_the_same_state(textpoke: Command) -> None:
    words = ("run", "toy", "--seed", "4", "--steps", "60_000", "--json", "--hash")
    assert textpoke(*words) == textpoke(*words, "--engine", "reference")


def test_the_builder_makes_code_the_other_tests_need() -> None:
    assert NOP5 in Builder().build()
