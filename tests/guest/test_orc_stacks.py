"""Stacks of two real kernels are what those kernels said they were.

Source: orc_stacks.json, by make_orc_stacks.py. Linux leaves out the functions that write down a
stack, and of sleeping tasks those of the scheduler; it ends where ring 3 does.
"""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from emu.errors import TextpokeError
from emu.guest.orc_frames import OrcFrames
from emu.guest.registers import Registers
from emu.guest.stack import Frame, Stack
from emu.image.elf import ElfImage
from emu.image.frame_rules import COLUMNS
from emu.image.orc import OrcTable
from tests.image.elf_builder import Builder, Sym
from tests.image.orc_builder import PLACE, tables

KERNELS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("orc_stacks.json").read_text(encoding="utf-8")
)
ALL = [(kernel, number) for kernel, k in enumerate(KERNELS) for number in range(len(k["stacks"]))]
_TEXT = 0x8000000  # bytes from where the image is linked to behind the text of any kernel
_PAGE = 4096


@functools.cache
def frames(kernel: int) -> OrcFrames:
    given = KERNELS[kernel]
    symbols = tuple(Sym(name, int(at, 16)) for name, at in given["symbols"].items())
    image = ElfImage("kernel", Builder(symbols=symbols, memsz=_TEXT).build())
    rows = [(int(at, 16), bytes.fromhex(data)) for at, data in given["rows"].items()]
    ips, entries = tables(rows)
    found = OrcFrames(OrcTable("kernel", ips, PLACE, entries), image)
    found.load(
        found.trampoline((at, at + _PAGE), "ftrace_regs_caller", "ftrace_trampoline")
        for at in given["trampolines"]
    )
    return found


def walk(kernel: int, number: int) -> Stack:
    given = KERNELS[kernel]["stacks"][number]
    columns: list[int | None] = [None] * COLUMNS
    for column, value in given["registers"].items():
        columns[int(column)] = int(value, 16)
    words = {int(at, 16): int(value, 16) for at, value in given["words"].items()}
    pages = {at // _PAGE for at in words}

    def read(address: int, size: int) -> bytes:
        if address // _PAGE not in pages:
            raise TextpokeError(f"{address:#x} is not in the file")
        return b"".join(
            words.get(at, 0).to_bytes(8, "little") for at in range(address, address + size, 8)
        )

    bounds, *others = ((int(low, 16), int(high, 16)) for low, high in given["stacks"])
    start = Registers(int(given["pc"], 16), False, False, tuple(columns))
    return frames(kernel).stack(read, start, bounds, tuple(others))


def _as_linux(frame: Frame) -> str:
    """Return what a kernel writes for a frame: it has no names for trampolines."""
    if frame.kind == "trampoline":
        return f"{frame.pc:#x}"
    return f"{frame.function}+{frame.offset:#x}"


@pytest.mark.parametrize(("kernel", "number"), ALL)
def test_a_stack_is_what_the_kernel_said(kernel: int, number: int) -> None:
    stack = walk(kernel, number)
    assert stack.reliable, stack.reason
    mine = [_as_linux(frame) for frame in stack.frames if frame.kind != "user"]
    theirs = KERNELS[kernel]["stacks"][number]["kernel"]
    assert len(theirs) > 1
    assert mine[len(mine) - len(theirs) :] == theirs
    assert len(mine) - len(theirs) <= 6, "who writes it down, or sleeps"


def test_the_file_has_what_is_rare() -> None:
    """Interrupts on their own stack, softirqs, page faults in the kernel, trampolines."""
    for kernel in range(len(KERNELS)):
        stacks = [walk(kernel, number) for number in range(len(KERNELS[kernel]["stacks"]))]
        seen = {frame.kind for stack in stacks for frame in stack.frames}
        assert seen == {"function", "interrupt", "trampoline", "user"}
        names = {str(frame.function) for stack in stacks for frame in stack.frames}
        assert {"asm_sysvec_apic_timer_interrupt", "asm_exc_page_fault", "handle_softirqs"} <= names
        assert any(stack.frames[-1].kind == "user" for stack in stacks)
        assert any(stack.frames[-1].kind == "function" for stack in stacks)
    layouts = [frames(kernel).layout for kernel in range(len(KERNELS))]
    assert layouts[0] != layouts[1]
