"""Stores, interrupts and serial input from outside the cores: what moves do to the machine."""

import numpy as np

from emu.machine import board, uart, xapic, xapic_messages
from emu.machine.dirty import mark
from emu.machine.events import IPI, TEXT_STORE, emit
from emu.machine.native import jit, store8
from emu.machine.run import settle_machine
from emu.machine.state import (
    M_CORES,
    M_INPUT_HEAD,
    M_INPUT_TAIL,
    M_RAM,
    MAX_INPUT,
    Bytes,
    State,
    Words,
)
from emu.machine.text import remember
from emu.machine.unicorn_blocks import forget

PATCHER = -1  # the core number of events that no core caused


@jit
def store(s: State, address: int, data: Bytes) -> None:
    """Store bytes at a physical address; stores to text become versions, word by word."""
    mark(s, address, data.size)
    at = 0
    while at < data.size:
        length = min(8 - ((address + at) & 7), data.size - at)
        old = new = np.int64(0)
        for byte in range(length):
            old |= s.ram[address + at + byte] << (8 * byte)
            new |= np.int64(data[at + byte]) << (8 * byte)
        if remember(s, PATCHER, address + at, length, old, new):
            emit(s, PATCHER, TEXT_STORE, address + at, old, new, length, 0)
        for byte in range(length):
            store8(s.m[M_RAM] + address + at + byte, np.int64(data[at + byte]))
        at += length
    forget(s, address, address + data.size)


@jit
def send(s: State, vector: int, cores: int) -> None:
    """Make a fixed interrupt pending at every core of a bit mask."""
    for core in range(s.m[M_CORES]):
        if cores >> core & 1:
            xapic.request_ipi(s, core, vector)
    emit(s, PATCHER, IPI, vector, cores, xapic_messages.FIXED, 0, 0)
    settle_machine(s)


@jit
def send_input(s: State, data: Words, length: int) -> bool:
    """Let bytes come in on the serial line; returns whether there was room for them all."""
    if s.m[M_INPUT_TAIL] - s.m[M_INPUT_HEAD] + length > MAX_INPUT:
        return False
    for byte in range(length):
        s.input[s.m[M_INPUT_TAIL] & MAX_INPUT - 1] = data[byte]
        s.m[M_INPUT_TAIL] += 1
    uart.accept_input(s)
    board.schedule(s)
    return True
