"""The 16550A: FIFOs, interrupts by priority, timeout, loopback, and input from outside."""

import numpy as np
import pytest

from emu.errors import TextpokeError
from emu.machine import loop, poke
from emu.machine.state import M_OUTPUT, MAX_INPUT
from emu.moves import chooser
from emu.moves.move import Input
from tests.machine.bench import Bench
from tests.machine.guest_builder import build

DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR = range(0x3F8, 0x400)
FCR = IIR
CHARACTER = 10 * 12 * 10**9 // 115_200  # ns of ten bits at 9600 baud


def loopback(fifo: int = 0) -> Bench:
    bench = Bench()
    bench.outb(LCR, 3)
    bench.outb(MCR, 0x1B)
    bench.outb(FCR, fifo)
    bench.inb(IIR)
    return bench


def receive(bench: Bench, data: bytes) -> bool:
    return bool(poke.send_input(bench.state, np.frombuffer(data, np.uint8).astype(int), len(data)))


def test_what_is_sent_goes_out_in_order() -> None:
    bench = Bench()
    for byte in b"hello":
        bench.outb(DATA, byte)
        assert bench.inb(LSR) == 0x60
    assert bench.state.output[: bench.state.m[M_OUTPUT]].tobytes() == b"hello"


def test_registers() -> None:
    bench = Bench()
    assert [bench.inb(port) for port in (IER, IIR, LCR, MCR, LSR, MSR, SCR)] == [
        0, 1, 0, 8, 0x60, 0xB0, 0,
    ]  # fmt: skip
    bench.outb(SCR, 0x5A)
    bench.outb(IER, 0xF0)
    bench.outb(MCR, 0xFF)
    assert [bench.inb(port) for port in (SCR, IER, MCR)] == [0x5A, 0, 0x1F]
    bench.outb(LCR, 0x83)
    bench.outb(DATA, 0x34)
    bench.outb(IER, 0x12)
    assert (bench.inb(DATA), bench.inb(IER)) == (0x34, 0x12)
    bench.outb(LCR, 3)
    assert bench.inb(IER) == 0


def test_in_loopback_the_modem_outputs_are_its_inputs() -> None:
    bench = Bench()
    for bit, line in ((1, 0x20), (2, 0x10), (4, 0x40), (8, 0x80)):
        bench.outb(MCR, 0x10 | bit)
        assert bench.inb(MSR) == line


def test_overrun_is_told_once_and_comes_first() -> None:
    bench = loopback()
    bench.outb(IER, 0x07)
    assert bench.inb(IIR) == 0x02
    bench.outb(DATA, 1, 2)
    assert bench.inb(IIR) == 0x06
    assert [bench.inb(LSR), bench.inb(LSR)] == [0x63, 0x61]
    assert bench.inb(IIR) == 0x04
    assert bench.inb(DATA) == 2
    assert [bench.inb(IIR), bench.inb(IIR)] == [0x02, 0x01]


def test_the_fifo_holds_sixteen_and_keeps_the_old_ones() -> None:
    bench = loopback(1)
    bench.outb(DATA, *range(17))
    assert bench.inb(LSR) == 0x63
    assert [bench.inb(DATA) for _ in range(16)] == [*range(16)]
    assert bench.inb(LSR) == 0x60


@pytest.mark.parametrize(("setting", "level"), [(0, 1), (1, 4), (2, 8), (3, 14)])
def test_the_trigger_level(setting: int, level: int) -> None:
    bench = loopback(1 | setting << 6)
    bench.outb(IER, 1)
    for count in range(1, 15):
        bench.outb(DATA, count)
        assert bench.inb(IIR) == (0xC4 if count >= level else 0xC1)
        assert bench.state.pic[0, 0] >> 4 & 1 == (count >= level)


def test_the_timeout_comes_four_characters_after_the_last_byte() -> None:
    bench = loopback(0x81)
    bench.outb(IER, 1)
    bench.outb(DATA, 1, 2)
    bench.wait(4 * CHARACTER)
    assert bench.inb(IIR) == 0xC1
    bench.wait(4)
    assert bench.inb(IIR) == 0xCC
    assert bench.inb(DATA) == 1
    assert bench.inb(IIR) == 0xC1
    bench.wait(5 * CHARACTER)
    assert bench.inb(IIR) == 0xCC
    assert bench.inb(DATA) == 2
    bench.wait(5 * CHARACTER)
    assert bench.inb(IIR) == 0xC1


def test_input_waits_until_there_is_room() -> None:
    bench = Bench()
    assert receive(bench, b"ab")
    assert [bench.inb(DATA), bench.inb(DATA)] == [*b"ab"]
    bench.outb(FCR, 1)
    assert receive(bench, bytes(range(40)))
    assert [bench.inb(DATA) for _ in range(40)] == [*range(40)]
    assert bench.inb(LSR) == 0x60
    bench.outb(MCR, 0x18)
    assert receive(bench, b"x")
    assert not bench.inb(LSR) & 1
    bench.outb(MCR, 0x08)
    assert bench.inb(DATA) == ord("x")


def test_the_queue_is_a_ring_of_4096() -> None:
    bench = Bench()
    for number in range(5):
        data = bytes((number + byte) % 256 for byte in range(MAX_INPUT))
        assert receive(bench, data)
        assert receive(bench, b"!")  # one byte is in the chip
        assert not receive(bench, b"!")
        assert bytes(bench.inb(DATA) for _ in range(MAX_INPUT + 1)) == data + b"!"


ECHO = """
    mov al, 0x11; out 0x20, al
    mov al, 0x30; out 0x21, al
    mov al, 4; out 0x21, al
    mov al, 3; out 0x21, al
    mov al, 0xef; out 0x21, al
    mov dx, 0x3f9; mov al, 1; out dx, al
    again: sti; hlt; cli
    mov dx, 0x3fd
    more: in al, dx; test al, 1; jz again
    mov dx, 0x3f8; in al, dx; out dx, al; add dl, 5; jmp more
"""


def test_a_sleeping_guest_is_woken_by_input_and_sends_it_back() -> None:
    machine = build(ECHO).machine()
    by = chooser.round_robin(100)
    assert machine.drive(by, moves=1000) == loop.STUCK
    machine.send_input(b"one line\n")
    assert machine.drive(by, moves=1000) == loop.STUCK
    machine.record()
    machine.make(Input("uart", b"and more\n"))
    assert machine.drive(by, moves=1000) == loop.STUCK
    assert machine.output == b"one line\nand more\n"
    assert machine.recorded()["kind"][0] == 7
    with pytest.raises(TextpokeError, match="5000 bytes of serial input: 0 of at most 4096"):
        machine.send_input(bytes(5000))
