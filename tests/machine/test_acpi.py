"""ACPI and MP tables: well formed for every number of processors, and what QEMU's PC has.

The bytes that are compared with constants were read from the memory of QEMU 7.2.
"""

import itertools
import struct

import pytest

from emu.machine import acpi, mp_table

CORES = range(1, 9)


def header(data: bytes) -> tuple[bytes, int]:
    signature, length = struct.unpack_from("<4sI", data)
    return signature, length


@pytest.mark.parametrize("cores", CORES)
def test_every_table_is_as_long_as_it_says_and_adds_up_to_zero(cores: int) -> None:
    tables = dict(acpi.tables(cores))
    for address, signature in (
        (acpi.RSDT, b"RSDT"), (acpi.XSDT, b"XSDT"), (acpi.FADT, b"FACP"), (acpi.MADT, b"APIC"),
        (acpi.DSDT, b"DSDT"),
    ):  # fmt: skip
        assert header(tables[address]) == (signature, len(tables[address]))
        assert sum(tables[address]) % 256 == 0
    assert header(tables[acpi.FACS]) == (b"FACS", 64)


def test_the_root_pointer_leads_to_every_table() -> None:
    tables = dict(acpi.tables(2))
    rsdp = tables[acpi.RSDP]
    assert acpi.RSDP % 16 == 0
    assert rsdp[:8] == b"RSD PTR "
    assert sum(rsdp[:20]) % 256 == sum(rsdp) % 256 == 0
    revision, rsdt, length, xsdt = struct.unpack_from("<BIIQ", rsdp, 15)
    assert (revision, length) == (2, len(rsdp))
    narrow, wide = tables[rsdt][36:], tables[xsdt][36:]
    assert struct.unpack("<2I", narrow) == struct.unpack("<2Q", wide) == (acpi.FADT, acpi.MADT)
    facs, dsdt = struct.unpack_from("<2I", tables[acpi.FADT], 36)
    assert tables[facs][:4] == b"FACS"
    assert facs % 64 == 0
    assert tables[dsdt][:4] == b"DSDT"


def test_the_fixed_hardware_is_that_of_qemu() -> None:
    fadt = dict(acpi.tables(1))[acpi.FADT]
    assert len(fadt) == 116
    assert struct.unpack_from("<H", fadt, 46) == (9,)
    assert struct.unpack_from("<I4xI8xI", fadt, 56) == (0x600, 0x604, 0x608)
    assert struct.unpack_from("<I", fadt, 48) == (0,)  # no SMI command port: ACPI from the start
    assert fadt[88:93] == bytes((4, 2, 0, 4, 0))  # of the blocks; no general-purpose events
    assert fadt[93:] == bytes.fromhex("0000 00ff0fff0f 000000000000000032000000a5800000")


def test_the_madt_is_that_of_qemu() -> None:
    assert dict(acpi.tables(2))[acpi.MADT] == bytes.fromhex(
        "41504943800000000177424f4348532042585043202020200100000042585043010000000000e0fe01000000"
        "00080000010000000008010101000000010c00000000c0fe00000000020a0000020000000000020a00050500"
        "00000d00020a0009090000000d00020a000a0a0000000d00020a000b0b0000000d000406ff000001"
    )


def test_the_power_switch_is_a_package_of_four_zeros() -> None:
    assert dict(acpi.tables(1))[acpi.DSDT][36:] == b"\x08_S5_\x12\x06\x04\0\0\0\0"


@pytest.mark.parametrize("cores", CORES)
def test_the_mp_table_is_well_formed(cores: int) -> None:
    tables = dict(mp_table.tables(cores))
    floating = tables[mp_table.FLOATING]
    assert mp_table.FLOATING % 16 == 0
    assert len(floating) == 16
    assert sum(floating) % 256 == 0
    assert struct.unpack_from("<4sI2B", floating) == (b"_MP_", mp_table.CONFIGURATION, 1, 4)
    table = tables[mp_table.CONFIGURATION]
    signature, length, revision = struct.unpack_from("<4sHB", table)
    assert (signature, length, revision) == (b"PCMP", len(table), 4)
    assert sum(table) % 256 == 0
    at, entries = 44, []
    while at < length:
        size = 20 if table[at] == 0 else 8
        entries.append(table[at : at + size])
        at += size
    assert at == length
    assert len(entries) == struct.unpack_from("<H", table, 34)[0]
    processors = [entry for entry in entries if entry[0] == 0]
    assert [entry[1] for entry in processors] == list(range(cores))
    assert [entry[3] for entry in processors] == [3] + [1] * (cores - 1)


def test_an_isa_interrupt_arrives_at_its_input_and_the_timer_at_2() -> None:
    table = dict(mp_table.tables(1))[mp_table.CONFIGURATION]
    rest = table[44 + 20 + 8 + 8 :]
    routes = {entry[5]: entry[7] for entry in zip(*[iter(rest)] * 8, strict=True) if entry[0] == 3}
    assert routes == {0: 2} | {irq: irq for irq in (1, 3, 4, 6, 7, 8, 12, 13, 14, 15)}


@pytest.mark.parametrize("cores", CORES)
def test_tables_do_not_overlap(cores: int) -> None:
    areas = sorted((at, at + len(data)) for at, data in acpi.tables(cores) + mp_table.tables(cores))
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(areas))
