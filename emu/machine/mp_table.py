"""The tables of Intel's MultiProcessor Specification 1.4, by which older kernels find processors.

As SeaBIOS makes them for QEMU's PC (src/fw/mptable.c), without a PCI bus, so that ISA is bus 0.
SeaBIOS lists one processor a package; here every core is a package of its own, as with
`-smp N,sockets=N`.
"""

import struct

from emu.machine.acpi import IO_APIC, LOCAL_APIC, with_checksum

FLOATING, CONFIGURATION = 0xF0400, 0xF0410
"""Physical addresses of the floating pointer and of the table; both at multiples of 16."""

APIC_VERSION, IO_APIC_VERSION = 0x14, 0x11

CPU_SIGNATURE = 0x306C4
CPU_FEATURES = 0x078BFBFD
"""EAX and EDX of CPUID leaf 1 on the engine's processor."""

_ISA_BUS, _IO_APIC_ID, _EVERY_APIC = 0, 0, 0xFF
_INT, _NMI, _EXTINT = 0, 1, 3
_PCI_IRQS = (5, 9, 10, 11)  # not of the ISA bus
_CASCADE = 2  # the slave 8259; on the I/O APIC its input belongs to IRQ 0


def tables(cores: int) -> list[tuple[int, bytes]]:
    """Return (physical address, bytes) of both tables for a machine with `cores` processors."""
    floating = struct.pack("<4sI8B", b"_MP_", CONFIGURATION, 1, 4, 0, 0, 0, 0, 0, 0)
    return [
        (FLOATING, with_checksum(floating, 10)),
        (CONFIGURATION, _configuration(cores)),
    ]


def _configuration(cores: int) -> bytes:
    entries = [_processor(core) for core in range(cores)]
    entries.append(struct.pack("<2B6s", 1, _ISA_BUS, b"ISA   "))
    entries.append(struct.pack("<4BI", 2, _IO_APIC_ID, IO_APIC_VERSION, 1, IO_APIC))
    entries += [_interrupt(irq) for irq in range(16) if irq not in (*_PCI_IRQS, _CASCADE)]
    entries.append(_local_interrupt(_EXTINT, 0, 0))
    entries.append(_local_interrupt(_NMI, _EVERY_APIC, 1))
    body = b"".join(entries)
    header = struct.pack(
        "<4sH2B8s12sIHHIHBB",
        *(b"PCMP", 44 + len(body), 4, 0, b"BOCHSCPU", b"0.1         ", 0, 0),
        *(len(entries), LOCAL_APIC, 0, 0, 0),
    )
    return with_checksum(header + body, 7)


def _processor(core: int) -> bytes:
    enabled, bootstrap = 1, 2
    flags = enabled | bootstrap if core == 0 else enabled
    return struct.pack("<4B2I8x", 0, core, APIC_VERSION, flags, CPU_SIGNATURE, CPU_FEATURES)


def _interrupt(irq: int) -> bytes:
    """Return where an ISA interrupt arrives: IRQ 0 at input 2, others at that of their number."""
    pin = 2 if irq == 0 else irq
    return struct.pack("<2BH4B", 3, _INT, 0, _ISA_BUS, irq, _IO_APIC_ID, pin)


def _local_interrupt(kind: int, apic: int, pin: int) -> bytes:
    return struct.pack("<2BH4B", 4, kind, 0, _ISA_BUS, 0, apic, pin)
