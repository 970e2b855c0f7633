"""fw_cfg: the items a guest can ask for, and the ports it asks by."""

import struct

import numpy as np
import pytest

from emu.machine import fw_cfg, fw_cfg_items, state
from emu.machine.boot import MAX_COMMAND_LINE

LINE = b"quiet x=1\0"


def machine(cores: int = 2, line: bytes = LINE) -> state.State:
    """Return a state with the items of a machine with 64 MiB of RAM."""
    made = state.allocate(cores, np.zeros(1 << 16, np.uint8))
    table = fw_cfg_items.table(fw_cfg_items.items(cores, 64 << 20, line))
    made.fwcfg[: len(table)] = np.frombuffer(table, np.uint8)
    return made


def read(s: state.State, key: int, count: int) -> bytes:
    fw_cfg.select(s, key)
    return bytes(fw_cfg.read_byte(s) for _ in range(count))


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_every_item_is_read_to_its_end_and_zeros_behind_it(cores: int) -> None:
    s = machine(cores)
    for key, data in fw_cfg_items.items(cores, 64 << 20, LINE):
        assert read(s, key, len(data) + 9) == data + bytes(9)


def test_the_items_are_those_of_qemu() -> None:
    s = machine(8)
    assert read(s, 0x00, 4) == b"QEMU"
    assert read(s, 0x01, 4) == b"\1\0\0\0"
    assert read(s, 0x03, 8) == struct.pack("<Q", 64 << 20)
    assert read(s, 0x05, 2) == read(s, 0x0F, 2) == b"\x08\0"
    assert read(s, 0x14, 4) == struct.pack("<I", len(LINE))
    assert read(s, 0x15, len(LINE)) == LINE
    assert read(s, 0x8002, 4) == b"\1\0\0\0"


def test_a_file_is_found_by_its_name() -> None:
    s = machine()
    count = struct.unpack(">I", read(s, 0x19, 4))[0]
    directory = read(s, 0x19, 4 + 64 * count)[4:]
    files = {
        name.rstrip(b"\0"): (size, key)
        for size, key, _, name in struct.iter_unpack(">I2H56s", directory)
    }
    assert list(files) == sorted(files)
    size, key = files[b"etc/e820"]
    assert struct.unpack("<2QI", read(s, key, size)) == (0, 64 << 20, 1)


def test_an_unknown_item_reads_as_zeros() -> None:
    assert read(machine(), 0x7, 4) == read(machine(), 0xFFFF, 4) == bytes(4)


def test_the_bit_of_the_write_channel_does_not_count() -> None:
    assert read(machine(), 0x4000, 4) == b"QEMU"


def test_selecting_again_begins_anew() -> None:
    s = machine()
    assert read(s, 0, 2) + read(s, 0, 2) == b"QEQE"


def test_the_largest_machine_has_room_for_its_items() -> None:
    line = b"x" * (MAX_COMMAND_LINE - 1) + b"\0"
    s = machine(state.MAX_CORES, line)
    assert read(s, 0x15, len(line)) == line


def test_keys_ascend() -> None:
    keys = [key for key, _ in fw_cfg_items.items(1, 64 << 20, LINE)]
    assert keys == sorted(set(keys))
