"""A snapshot in a file goes on as the machine did; a bad file is refused with one sentence."""

import json
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.errors import BadSnapshot
from emu.image.elf import ElfImage
from emu.machine import pages, registers, snapshot_check, snapshot_file, state, unicorn_layout
from emu.machine.boot import BootImage
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.snapshot import Snapshot
from emu.moves import chooser
from tests.conftest import ROOT
from tests.machine.slicing import make_runs, numbers
from tests.machine.test_snapshot import future
from tests.machine.zoo import zoo

MIX = ROOT / "tests" / "bench" / "kernels" / "mix.elf"

PROCESS = """
import json, sys
from pathlib import Path
from emu.machine import snapshot_file
from emu.machine.machine import Machine
from tests.machine.test_snapshot import future
for path in sorted(Path(sys.argv[1]).glob("*.snapshot")):
    machine = Machine.from_snapshot(snapshot_file.read(path))
    state, events, output, exit_value = future(machine, int(path.stem), 200)
    print(json.dumps([path.stem, state, events, output.decode("latin-1"), exit_value]))
"""


def test_another_process_goes_on(toy_boot: BootImage, tmp_path: Path) -> None:
    """At random instants of three kernels, read here and in a process that has no image."""
    foreign = ElfImage.read(MIX).boot_image
    machines = [
        (Machine(toy_boot, cores=4, command_line="selftest"), 600_000),
        (Machine(toy_boot, cores=3, command_line="load", model="observed"), 1_500_000),
        (Machine(foreign, cores=4, command_line="rounds=200", ram_mib=8), 1_000_000),
        (zoo(), 10_000),
    ]
    expected = {}
    random = numbers(5)
    for number, (machine, longest) in enumerate(machines):
        for point in range(3):
            machine.drive(chooser.random(point), instructions=random.randrange(longest))
            seed = 10 * number + point
            saved = machine.save()
            path = tmp_path / f"{seed}.snapshot"
            snapshot_file.write(saved, path)
            expected[path.stem] = future(machine, seed, 200)
            here = Machine.from_snapshot(snapshot_file.read(path))
            assert future(here, seed, 200) == expected[path.stem]
    command = [sys.executable, "-c", PROCESS, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {
        stem: (*rest[:2], rest[2].encode("latin-1"), rest[3]) for stem, *rest in lines
    } == expected


def test_what_the_guest_has_blanked_stays_blank(toy_boot: BootImage) -> None:
    """Also the tables that firmware leaves below 1 MiB, which a new machine has, too."""
    machine = Machine(toy_boot, cores=2, command_line="load")
    machine.drive(chooser.round_robin(1000), instructions=50_000)
    low = next(at for at in range(0, 1 << 20, state.PAGE) if any(machine.read(at, state.PAGE)))
    for page in {low, 0x9F000, 0xE0000, 0xF0000, 0xFF000}:
        machine.store(page, bytes(state.PAGE))
    again = Machine.from_snapshot(machine.save())
    assert again.read(0, 1 << 20) == machine.read(0, 1 << 20)
    assert state_hash(again) == state_hash(machine)


def test_a_file_says_the_same_again(tmp_path: Path) -> None:
    machine = zoo()
    make_runs(machine, 3, 200, None)
    saved = machine.save()
    first, second = tmp_path / "first", tmp_path / "second"
    snapshot_file.write(saved, first)
    again = snapshot_file.read(first)
    assert again.setup == saved.setup
    assert again.ram == saved.ram
    snapshot_file.write(again, second)
    assert first.read_bytes() == second.read_bytes()
    assert state_hash(Machine.from_snapshot(again)) == state_hash(machine)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    machine = zoo()
    make_runs(machine, 1, 300, None)
    path = tmp_path_factory.mktemp("snapshots") / "good"
    snapshot_file.write(machine.save(), path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def same(good: bytes, scratch: Path) -> Snapshot:
    scratch.write_bytes(good)
    return snapshot_file.read(scratch)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("snapshots") / "bad"


def parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return magic line, header and unpacked body."""
    magic, header, body = data.split(b"\n", 2)
    return magic, header, zlib.decompress(body)


def joined(magic: bytes, header: bytes, body: bytes) -> bytes:
    return magic + b"\n" + header + b"\n" + zlib.compress(body, 1)


def attempt(path: Path, data: bytes, same: Snapshot) -> None:
    """Read a file: it is refused, or it is a machine.

    One that runs, if the guest is the same: another may take exceptions for ever.
    """
    path.write_bytes(data)
    try:
        saved = snapshot_file.read(path)
    except BadSnapshot:
        return
    machine = Machine.from_snapshot(saved)
    machine.save()
    if saved.registers == same.registers and saved.ram == same.ram:
        machine.drive(chooser.random(1), moves=5)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_files(good: bytes, same: Snapshot, scratch: Path, data: st.DataObject) -> None:
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(good)) | st.just(len(good)))
    attempt(scratch, bytes(damaged[:cut]), same)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_hostile_files(good: bytes, same: Snapshot, scratch: Path, data: st.DataObject) -> None:
    """Bodies that unpack well and say other things."""
    magic, header, body = parts(good)
    changed = bytearray(body)
    interesting = 8 * state.M_TABLES + 4000 + 8 * 16 * 8 + 8 * 56 * 8
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, 800) | st.integers(0, interesting))
        value = data.draw(st.integers(0, (1 << 64) - 1) | st.integers(0, 300))
        changed[at : at + 8] = value.to_bytes(8, "little")
    attempt(scratch, joined(magic, header, bytes(changed)), same)


def header_with(good: bytes, **fields: object) -> bytes:
    magic, header, body = parts(good)
    return joined(magic, json.dumps({**json.loads(header), **fields}).encode(), body)


def test_what_is_said_about_bad_files(good: bytes, tmp_path: Path) -> None:
    magic, header, body = parts(good)
    machine = json.loads(header)["machine"]
    bomb = zlib.compress(bytes(1 << 26), 9)
    cases = {
        b"": "not a snapshot",
        b"\x7fELF" + bytes(100): "not a snapshot",
        good[:30]: "cut off",
        good[:-10]: "cut off",
        good + b"x": "behind its end",
        joined(magic, header, body + b"x"): "behind its end",
        joined(b"textpoke snapshot 2", header, body): "format 2, this textpoke reads 1",
        joined(magic, b"[" * 5000, body): "not JSON",
        joined(magic, b"{}", body): "has no 'image'",
        header_with(good, machine={**machine, "ram_mib": 4000}): "ram_mib is 4000",
        header_with(good, machine={**machine, "cores": 9}): "cores is 9",
        header_with(good, machine={**machine, "model": "x"}): "model",
        header_with(good, pages=5000): "pages is 5000",
        header_with(good, pages=1024): "cut off",
        header_with(good, pages=0): "behind its end",
        header_with(good, tables={}): "has no 'core'",
        header_with(good, registers=1): "registers is 1",
        magic + b"\n" + header + b"\n" + bomb: "damaged",
    }
    path = tmp_path / "bad"
    for data, message in cases.items():
        path.write_bytes(data)
        with pytest.raises(BadSnapshot, match=message) as error:
            snapshot_file.read(path)
        assert str(error.value).startswith(str(path))
    for missing in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadSnapshot):
            snapshot_file.read(missing)
    with pytest.raises(BadSnapshot, match="no folder"):
        snapshot_file.write(zoo().save(), tmp_path / "none" / "file")


@pytest.fixture(scope="module")
def saved() -> Snapshot:
    return zoo().save()


def test_every_kept_number_has_a_range() -> None:
    assert snapshot_check.TABLES.keys() == set(state.KEPT_TABLES)
    named = {
        value
        for name, value in vars(state).items()
        if name.startswith("M_") and isinstance(value, int) and value < state.M_TABLES
    }
    assert named - set(state.SCRATCH_SCALARS) <= snapshot_check.SCALARS.keys()
    assert not snapshot_check.SCALARS.keys() & set(state.SCRATCH_SCALARS)


def test_every_range_is_checked(saved: Snapshot) -> None:
    assert snapshot_check.wrong(saved) is None
    for slot in range(state.M_TABLES):
        scalars = saved.scalars.copy()
        scalars[slot] = -2
        assert snapshot_check.wrong(replace(saved, scalars=scalars)), slot
    row = [1, 8, 4, 0, 0, -1]
    for table, good_row, bad_rows in (
        ("history", row, (
            [9, 8, 4, 0, 0, -1], [0, 8, 4, 0, 0, -1], [1, 12, 8, 0, 0, -1], [1, 8, 0, 0, 0, -1],
            [1, -8, 4, 0, 0, -1], [1, 4 << 20, 4, 0, 0, -1], [1, 8, 4, 0, 0, 8],
        )),
        ("wait", [8, 1], ([-1, 1], [4 << 20, 1], [8, -1])),
        ("delayed", [0, 33, 5], ([3, 33, 5], [-1, 33, 5], [0, 256, 5], [0, 33, -1])),
    ):  # fmt: skip
        scalars = saved.scalars.copy()
        scalars[state.M_TEXT_NOW] = 1
        scalars[state.ROWS_IN_USE[table]] = 1
        for values, is_good in ((good_row, True), *((bad, False) for bad in bad_rows)):
            tables = {**saved.tables, table: np.array([values], np.int64)}
            said = snapshot_check.wrong(replace(saved, scalars=scalars, tables=tables))
            assert (said is None) == is_good, (table, values)
    for table in ("core", "apic"):
        for column in range(saved.tables[table].shape[1]):
            if (table, column) == ("core", state.C_FREEZE_STACK):
                continue
            rows = saved.tables[table].copy()
            rows[0, column] = -3
            assert snapshot_check.wrong(replace(saved, tables={**saved.tables, table: rows}))


def test_a_timer_that_counts_has_something_to_count(saved: Snapshot) -> None:
    rows = saved.tables["apic"].copy()
    rows[0, [state.A_INITIAL, state.A_DEADLINE]] = 0, 5
    assert snapshot_check.wrong(replace(saved, tables={**saved.tables, "apic": rows}))


REGISTERS = {
    unicorn_layout.FPU_TOP: 8, unicorn_layout.FPU_TAGS: 2, unicorn_layout.MXCSR + 2: 1,
    unicorn_layout.XCR0 + 2: 1, unicorn_layout.CR8: 16, unicorn_layout.CR4 + 1: 0x10,
    unicorn_layout.CR0 + 4: 1, unicorn_layout.EFER + 2: 1, unicorn_layout.EFER + 1: 0x04,
    unicorn_layout.CR3 + 7: 1, unicorn_layout.CS + 2: 1, unicorn_layout.TR + 3: 1,
}  # fmt: skip


def test_registers_are_checked(saved: Snapshot) -> None:
    fresh = Machine(BootImage("none", "0" * 64, "pvh", 0, ()), ram_mib=4, cores=3).save()
    assert snapshot_check.wrong(fresh) is None
    places = {registers._PLACES[offset]: value for offset, value in REGISTERS.items()}
    for at, value in (*places.items(), (-24, 0), (-22, 0x80), (-16, 4), (-8, 1)):
        canonical = bytearray(saved.registers[1])
        canonical[at] = value
        cores = (saved.registers[0], bytes(canonical), saved.registers[2])
        said = snapshot_check.wrong(replace(saved, registers=cores))
        assert said is not None, at
        assert said.startswith("core 1"), at


def test_equal_pages_are_read_once(saved: Snapshot, tmp_path: Path) -> None:
    page = b"\x01" * pages.PAGE_BYTES
    chunk = (page,) * pages.CHUNK
    snapshot_file.write(replace(saved, ram=(chunk,) * 4), tmp_path / "file")
    ram = snapshot_file.read(tmp_path / "file").ram
    assert ram == (chunk,) * 4
    assert len({id(each) for part in ram for each in part}) == 1
