r"""ACPI tables: how a kernel finds processors, interrupt controllers and the power switch.

The same PC as QEMU's (hw/i386/acpi-build.c, machine type pc), byte for byte where the hardware is
the same. Different are: where the tables lie (all in the BIOS area, at fixed addresses); an XSDT
beside the RSDT, so the RSDP has revision 2; no SMI command port, which says that the machine is in
ACPI mode from the start; no general-purpose events; no HPET. The DSDT holds no devices, only
\_S5: the value that, written to PM1a_CNT with SLP_EN, switches the machine off.
Source: ACPI 1.0b for FADT, FACS and MADT of revision 1; ACPI 6.4 section 5.2 for RSDP and XSDT.
"""

import struct

RSDP, RSDT, XSDT, FACS, FADT = 0xF0000, 0xF0040, 0xF0080, 0xF00C0, 0xF0100
MADT, DSDT = 0xF0180, 0xF0280
"""Physical addresses of the tables. The FACS has to lie at a multiple of 64."""

PM1A_EVENT, PM1A_CONTROL, PM_TIMER = 0x600, 0x604, 0x608
"""I/O ports of the power management (PIIX4 with its base at 0x600)."""

SCI = 9
"""The interrupt of the power management, level-triggered, active high."""

LOCAL_APIC, IO_APIC = 0xFEE00000, 0xFEC00000

_OEM, _OEM_TABLE, _CREATOR = b"BOCHS ", b"BXPC    ", b"BXPC"
_HEADER = struct.Struct("<4sI2B6s8sI4sI")


def tables(cores: int) -> list[tuple[int, bytes]]:
    """Return (physical address, bytes) of every table for a machine with `cores` processors."""
    parts = (FADT, MADT)
    return [
        (RSDP, _rsdp()),
        (RSDT, _table(b"RSDT", struct.pack(f"<{len(parts)}I", *parts))),
        (XSDT, _table(b"XSDT", struct.pack(f"<{len(parts)}Q", *parts))),
        (FACS, struct.pack("<4sI56x", b"FACS", 64)),
        (FADT, _table(b"FACP", _fadt())),
        (MADT, _table(b"APIC", _madt(cores))),
        (DSDT, _table(b"DSDT", _s5())),
    ]


def with_checksum(data: bytes, at: int) -> bytes:
    """Return `data` with byte `at`, which is 0, set so that all bytes add up to 0 modulo 256."""
    return data[:at] + bytes([-sum(data) & 0xFF]) + data[at + 1 :]


def _table(signature: bytes, body: bytes) -> bytes:
    """Return a table with its header, all of revision 1."""
    length = _HEADER.size + len(body)
    header = _HEADER.pack(signature, length, 1, 0, _OEM, _OEM_TABLE, 1, _CREATOR, 1)
    return with_checksum(header + body, 9)


def _rsdp() -> bytes:
    """Return the root pointer; the first checksum is over the 20 bytes of ACPI 1.0."""
    first = with_checksum(struct.pack("<8sB6sBI", b"RSD PTR ", 0, _OEM, 2, RSDT), 8)
    return with_checksum(first + struct.pack("<IQ4x", 36, XSDT), 32)


def _fadt() -> bytes:
    """Return the fixed hardware description, as ACPI 1.0b has it (116 bytes with the header)."""
    no_c2, no_c3 = 0x0FFF, 0x0FFF  # latencies too long to be used
    wbinvd, proc_c1, slp_button, rtc_s4, platform_clock = 1 << 0, 1 << 2, 1 << 5, 1 << 7, 1 << 15
    return b"".join(
        (
            struct.pack("<2I2BH", FACS, DSDT, 1, 0, SCI),  # 1: interrupt model with an 8259
            struct.pack("<I4B", 0, 0, 0, 0, 0),  # SMI command port and what to write there
            struct.pack("<8I", PM1A_EVENT, 0, PM1A_CONTROL, 0, 0, PM_TIMER, 0, 0),
            struct.pack("<8B", 4, 2, 0, 4, 0, 0, 0, 0),  # bytes of these blocks
            struct.pack("<4H", no_c2, no_c3, 0, 0),
            struct.pack("<5BH1x", 0, 0, 0, 0, 0x32, 0),  # 0x32: the century in the CMOS
            struct.pack("<I", wbinvd | proc_c1 | slp_button | rtc_s4 | platform_clock),
        )
    )


def _madt(cores: int) -> bytes:
    """Return processors, the I/O APIC and how ISA interrupts reach it.

    IRQ 0 arrives at input 2; 5, 9, 10 and 11 are level-triggered and active high (flags 0xd), as
    the PIIX routes PCI interrupts to them. LINT1 of every processor is NMI.
    """
    pcat_compat = 1  # there is a pair of 8259 as well
    entries = [struct.pack("<4BI", 0, 8, core, core, 1) for core in range(cores)]
    entries.append(struct.pack("<4B2I", 1, 12, 0, 0, IO_APIC, 0))
    entries.append(struct.pack("<4BIH", 2, 10, 0, 0, 2, 0))
    entries += [struct.pack("<4BIH", 2, 10, 0, irq, irq, 0xD) for irq in (5, 9, 10, 11)]
    entries.append(struct.pack("<3BHB", 4, 6, 0xFF, 0, 1))
    return struct.pack("<2I", LOCAL_APIC, pcat_compat) + b"".join(entries)


def _s5() -> bytes:
    r"""Return AML: Name (\_S5, Package () {0, 0, 0, 0}). SLP_TYP 0 is soft off on a PIIX4."""
    name_op, package_op = b"\x08", b"\x12"
    elements = bytes([4]) + bytes(4)  # their count, then ZeroOp four times
    return name_op + b"_S5_" + package_op + bytes([1 + len(elements)]) + elements
