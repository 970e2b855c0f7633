"""Guests that die, stand still or never end: what `textpoke run` says about them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.cli.kernel_file import long_mode
from tests.machine.guest_tables import APIC, DATA, RETURN, STACKS
from tests.machine.test_pic import REMAP, SERVE

BAD_IDT = f"lidt [{DATA}]; nop; ud2"
OPEN_BUS = 0x80000000
HANDLED = "nobody can move: core 0 is halted with interrupts off in handler+"

# name: (code of core 0, parts of the guest, status, first words of the sentence, its last words)
BAD_ENDS: Mapping[str, tuple[str, dict[str, Any], int, str, str]] = {
    "a bad IDT": (
        BAD_IDT,
        {},
        4,
        (
            "core 0 shut down (triple fault): general protection (#GP) while delivering "
            "invalid opcode (#UD), in core0+0x8"
        ),
        "(0x200008)",
    ),
    "no stack and no IDT": (
        f"lidt [{DATA}]; mov rsp, 0x7000000; push rax",
        {},
        4,
        (
            "core 0 shut down (triple fault): page fault (#PF) at 0x6fffff8 that could not be "
            "delivered, in core0+0xe"
        ),
        "(0x20000e)",
    ),
    "a jump to where nothing is mapped": (
        "mov rax, 0x12345678; jmp rax",
        {},
        4,
        HANDLED,
        (
            "before that: page fault (#PF), error 0x10 (execute: not present) at 0x12345678, not "
            "mapped"
        ),
    ),
    "a jump to an address that is none": (
        "mov rax, 0x1234567800000000; jmp rax",
        {},
        4,
        HANDLED,
        "before that: general protection (#GP), error 0x0 at 0x1234567800000000, not canonical",
    ),
    "a jump into data": (
        f"mov rax, {DATA}; jmp rax",
        {},
        4,
        HANDLED,
        (
            "before that: page fault (#PF), error 0x11 (execute: not allowed) at 0x300000, outside "
            "guest.elf"
        ),
    ),
    "a jump to a device": (
        f"mov rax, {APIC}; jmp rax",
        {},
        4,
        HANDLED,
        "before that: page fault (#PF), error 0x11 (execute: not allowed) at 0xfee00000, not RAM",
    ),
    "a jump to where no RAM is": (
        "mov rax, 0x600000; jmp rax",
        {"pages": {0x600000: OPEN_BUS | 3}},
        4,
        "core 0 cannot go on: it executes where no RAM is, at 0x600000",
        "not RAM",
    ),
    "a stack that overflows": (
        "push rax; jmp 0x200000",
        {"pages": {STACKS: 0}},
        4,
        HANDLED,
        (
            "before that: page fault (#PF), error 0x2 (write: not present) at core0 (0x200000), "
            "then double fault (#DF), error 0x0 at core0 (0x200000)"
        ),
    ),
    "everybody halted for good": (
        "cli; hlt",
        {},
        4,
        "nobody can move: core 0 is halted with interrupts off in core0+0x1 (0x200002)",
        "(0x200002)",
    ),
    "a loop without end": (
        "nop; jmp 0x200001",
        {},
        6,
        "the bound was reached after 40,000 instructions; core 0 in core0+0x1 (0x200001)",
        "--steps raises the bound",
    ),
}


@pytest.mark.parametrize("name", BAD_ENDS)
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_bad_end_is_reported(
    textpoke: Command, tmp_path: Path, name: str, seed: int | None
) -> None:
    code, parts, status, first, last = BAD_ENDS[name]
    words = [] if seed is None else ["--seed", seed]
    image = long_mode(tmp_path, code, **parts)
    said = textpoke("run", image, "--cores", 1, "--steps", 40_000, *words)
    assert (said.status, said.out) == (status, b"")
    lines = said.err.splitlines()
    sentence = lines[0 if seed is None else 1].removeprefix("textpoke: ")
    if not (seed and status == 6):  # the last move may pass the bound
        assert sentence.startswith(first)
    assert sentence.endswith(last)
    assert "Traceback" not in said.err
    assert sum(line.startswith("    ") for line in lines) <= 32 + 13
    assert max(len(line) for line in lines if line.startswith("  ")) <= 100


def registers(**values: int) -> list[str]:
    """Return the lines of general registers, those that are not given 0."""
    rows = ("RAX RBX RCX RDX", "RSI RDI RBP RSP", "R8 R9 R10 R11", "R12 R13 R14 R15")
    return [
        "    " + " ".join(f"{name:3} {values.get(name, 0):016x}" for name in row.split())
        for row in rows
    ]


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_the_whole_report(textpoke: Command, tmp_path: Path, engine: str) -> None:
    image = long_mode(tmp_path, BAD_IDT, "cli; hlt")
    said = textpoke("run", image, "--cores", 3, "--seed", 1, "--engine", engine)
    assert said.err.splitlines() == [
        "textpoke: moves are chosen at random from seed 1",
        (
            "textpoke: core 0 shut down (triple fault): general protection (#GP) while delivering "
            "invalid opcode (#UD), in core0+0x8 (0x200008)"
        ),
        "  core 0: shut down, RIP core0+0x8 (0x200008)",
        "    code 0f 0b 90" + 12 * " 00",
        "    64-bit ring 0, interrupts off, CR3 0x110000, CR2 0x0, RFLAGS 0x46",
        *registers(RDX=0x200000, RSP=0x382000),
        "    invalid opcode (#UD) at core0+0x8 (0x200008)",
        "    general protection (#GP), error 0x33 at core0+0x8 (0x200008)",
        "    double fault (#DF), error 0x0 at core0+0x8 (0x200008)",
        "  core 1: runs, RIP boot+0x426 (0x100426)",
        "    code ea 00 08 10 00 08" + 9 * " 00",
        "    32-bit ring 0, interrupts off, CR3 0x110000, CR2 0x0, RFLAGS 0x2",
        *registers(RAX=0x80010033, RCX=0xC0000080),
        "  core 2: waits for the start-up IPI",
        "  the last 3 moves, and where the core stood before:",
        "    run 0 60  boot",
        "    run 1 18  0x8000, outside guest.elf",
        "    run 0 25  core0+0x8",
    ]


def test_equal_traps_are_counted(textpoke: Command, tmp_path: Path) -> None:
    image = long_mode(tmp_path, "int3; jmp 0x200000", resume={3: RETURN})
    said = textpoke("run", image, "--cores", 1, "--steps", 36_000)
    assert said.status == 6
    (storm,) = [line for line in said.err.splitlines() if "#BP" in line]
    assert storm == "    breakpoint (#BP) at core0+0x1 (0x200001), 999 times"


def test_a_report_for_scripts(textpoke: Command, tmp_path: Path) -> None:
    said = textpoke("run", long_mode(tmp_path, BAD_IDT, "cli; hlt"), "--cores", 2, "--json")
    (line,) = said.err.splitlines()
    document = json.loads(said.out)
    report = document["report"]
    assert (said.status, document["status"], document["end"]) == (4, 4, "died")
    assert line == f"textpoke: {report['sentence']}"
    dead, other = report["cores"]
    assert (dead["core"], dead["activity"], dead["symbol"]) == (0, "shut down", "core0+0x8")
    assert [trap["vector"] for trap in dead["traps"]] == [6, 13, 8]
    assert [trap["rsp"] for trap in dead["traps"]] == 3 * ["0x382000"]
    assert (dead["rip"], dead["cr3"], dead["rflags"]) == ("0x200008", "0x110000", "0x46")
    assert dead["code"] == "0f0b90" + 12 * "00"
    given = {"rdx": "0x200000", "rsp": "0x382000"}
    assert {name: value for name, value in dead["registers"].items() if value != "0x0"} == given
    assert len(dead["registers"]) == 16
    assert (other["core"], other["mode"]) == (1, "real")
    assert [(made["move"], made["times"]) for made in report["moves"]] == [("run 0 1000", 1)]
    assert report["moves"][0]["symbol"] == "boot"


def test_who_runs_is_named_where_it_does_not_end(textpoke: Command, tmp_path: Path) -> None:
    image = long_mode(tmp_path, "cli; hlt", "nop; jmp 0x201001")
    said = textpoke("run", image, "--cores", 2, "--steps", 40_000)
    assert "instructions; core 1 in core1+0x1" in said.err.splitlines()[0]
    assert said.err.splitlines()[-2:] == [
        "  the last 32 moves, and where the core stood before:",
        "    run 1 1000  core1+0x1  \N{MULTIPLICATION SIGN} 32",
    ]


def test_moves_from_another_place_are_not_equal(textpoke: Command, tmp_path: Path) -> None:
    image = long_mode(tmp_path, "cli; hlt", "nop; nop; nop; jmp 0x201001")
    said = textpoke("run", image, "--cores", 2, "--steps", 40_000, "--json")
    moves = json.loads(said.out)["report"]["moves"]
    assert {made["symbol"] for made in moves} == {f"core1+{at:#x}" for at in (1, 2, 3)}
    assert [made["times"] for made in moves] == 32 * [1]


@pytest.mark.parametrize(("code", "parts", "expected"), [
    ("mov rax, 0x600000; jmp rax", {"pages": {0x600000: OPEN_BUS | 3}}, "cannot be read"),
    ("jmp 0x200ffd", {"pages": {0x201000: 0}, "data": {0x200FFD: b"\x90\xeb\xfd"}}, "90 eb fd"),
], ids=["not RAM", "the end of a page"])  # fmt: skip
def test_code_ends_where_nothing_can_be_fetched(
    textpoke: Command, tmp_path: Path, code: str, parts: dict[str, Any], expected: str
) -> None:
    image = long_mode(tmp_path, code, **parts)
    said = textpoke("run", image, "--cores", 1, "--seed", 1, "--steps", 40_000)
    lines = [line.removeprefix("    code ") for line in said.err.splitlines() if "  code" in line]
    assert lines[0] in (expected, expected[3:])  # it stands at either of the two instructions


def test_source_lines_are_named_where_the_image_has_them(textpoke: Command) -> None:
    said = textpoke("run", "toy", "--append", "load", "--steps", 1_000_000, "--json")
    cores = json.loads(said.out)["report"]["cores"]
    assert len(cores) == 4
    for core in cores:
        assert core["symbol"].partition("+")[0].isidentifier()
        assert core["source"].partition(".")[2].partition(":")[0] in ("c", "h", "S")
        assert core["wrong"] is None


def test_a_run_that_ends_by_itself_has_no_report(textpoke: Command) -> None:
    said = textpoke("run", "toy", "--append", "selftest", "--json")
    assert (said.status, said.err) == (1, "")
    assert json.loads(said.out)["report"] is None


def test_the_replay_of_a_dead_run_says_so(textpoke: Command, tmp_path: Path) -> None:
    image, file = long_mode(tmp_path, BAD_IDT), tmp_path / "dead.json"
    died = textpoke("run", image, "--cores", 1, "--save", file)
    assert died.status == 4
    again = textpoke("replay", file, image)
    assert again.status == 4
    assert again.err.strip() in died.err
    assert "shut down" in again.err


@pytest.mark.parametrize("seed", [[], ["--seed", 3]])
def test_the_replay_of_a_run_in_which_nobody_can_move_says_so(
    textpoke: Command, tmp_path: Path, seed: list[object]
) -> None:
    image, file = long_mode(tmp_path, "cli; hlt"), tmp_path / "stuck.json"
    stuck = textpoke("run", image, "--cores", 2, "--save", file, *seed)
    assert stuck.status == 4
    again = textpoke("replay", file, image)
    assert again.status == 4
    assert again.err.strip() in stuck.err
    assert again.err.startswith("textpoke: nobody can move")
    assert json.loads(textpoke("replay", file, image, "--json").out)["status"] == 4


def test_who_only_sleeps_has_not_died(textpoke: Command, tmp_path: Path) -> None:
    """The timer would wake him: the run ended because of its bound."""
    image, file = long_mode(tmp_path, REMAP + SERVE), tmp_path / "asleep.json"
    assert textpoke("run", image, "--cores", 1, "--steps", 40_000, "--save", file).status == 6
    assert textpoke("replay", file, image).status == 0
