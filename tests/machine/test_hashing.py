"""The state hash sees the whole architectural state, and nothing else."""

import time
from typing import Any

import numpy as np
import pytest
from unicorn import x86_const as x86

from emu.machine import (
    registers,
    selftest,
    unicorn_engine,
    unicorn_flags,
    unicorn_layout,
)
from emu.machine import state as st
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.uart import UART_DIVISOR, UART_SCR
from tests.machine.guest_builder import build
from tests.machine.guest_tables import DATA
from tests.machine.site import call_from, site

U = unicorn_layout
LOW = {
    x86.UC_X86_REG_RAX: 0, x86.UC_X86_REG_RCX: 8, x86.UC_X86_REG_RDX: 16, x86.UC_X86_REG_RBX: 24,
    x86.UC_X86_REG_RSP: 32, x86.UC_X86_REG_RBP: 40, x86.UC_X86_REG_RSI: 48, x86.UC_X86_REG_RDI: 56,
    **{x86.UC_X86_REG_R8 + i: 64 + 8 * i for i in range(8)},
    x86.UC_X86_REG_RIP: U.RIP, x86.UC_X86_REG_CR2: U.CR2, x86.UC_X86_REG_CR8: U.CR8,
    **{x86.UC_X86_REG_DR0 + i: U.DR0 + 8 * i for i in (0, 1, 2, 3, 6, 7)},
    x86.UC_X86_REG_FS_BASE: U.FS + U.SEGMENT_BASE, x86.UC_X86_REG_GS_BASE: U.GS + U.SEGMENT_BASE,
    **{x86.UC_X86_REG_XMM0 + i: U.XMM + 64 * i for i in range(16)},
}  # fmt: skip
WIDTHS = {x86.UC_X86_REG_FPCW: (U.FPU_CONTROL, 2), x86.UC_X86_REG_MXCSR: (U.MXCSR, 4)}
MSRS = {
    0xC0000081: U.STAR, 0xC0000082: U.LSTAR, 0xC0000083: U.CSTAR, 0xC0000084: U.FMASK,
    0xC0000102: U.KERNEL_GS_BASE, 0xC0000103: U.TSC_AUX, 0x174: U.SYSENTER_CS,
    0x175: U.SYSENTER_ESP, 0x176: U.SYSENTER_EIP, 0x277: U.PAT,
}  # fmt: skip


def field(env: int, offset: int, size: int = 8) -> int:
    data = unicorn_engine.pristine_registers(env)[offset : offset + size].tobytes()
    return int.from_bytes(data, "little")


def test_offsets_are_where_the_public_interface_writes() -> None:
    uc, _, env = unicorn_engine.open_engine()
    for number, register in enumerate(LOW):
        uc.reg_write(register, 0x1122334455667700 + number)
    for register, (_, size) in WIDTHS.items():
        uc.reg_write(register, 0x1F83 if size == 4 else 0x027E)
    for number, msr in enumerate(MSRS):
        uc.msr_write(msr, 0x0102030405060700 + number if msr != 0x277 else 0x0007010600070106)
    for number, (register, offset) in enumerate(LOW.items()):
        assert field(env, offset) == 0x1122334455667700 + number == uc.reg_read(register)
    for register, (offset, size) in WIDTHS.items():
        assert field(env, offset, size) == uc.reg_read(register)
    for number, (msr, offset) in enumerate(MSRS.items()):
        wide = 0xFFFF if msr == 0x174 else (1 << 64) - 1
        value = 0x0102030405060700 + number if msr != 0x277 else 0x0007010600070106
        assert field(env, offset) & wide == value & wide
    for number in range(8):
        mantissa = 0x8000_0000_0000_0001 + number
        uc.reg_write(x86.UC_X86_REG_FP0 + number, (mantissa, 0x3FF0 + number))
        assert field(env, U.FPU_STACK + 16 * number) == mantissa
        assert field(env, U.FPU_STACK + 16 * number + 8, 2) == 0x3FF0 + number


def test_offsets_of_tables_and_control_registers() -> None:
    uc, _, env = unicorn_engine.open_engine()
    for register, offset in (
        (x86.UC_X86_REG_GDTR, U.GDT), (x86.UC_X86_REG_IDTR, U.IDT),
        (x86.UC_X86_REG_LDTR, U.LDT), (x86.UC_X86_REG_TR, U.TR),
    ):  # fmt: skip
        uc.reg_write(register, (0x18, 0xABCDE000, 0x1234, 0x8B00))
        assert field(env, offset + U.SEGMENT_BASE) == 0xABCDE000
        assert field(env, offset + U.SEGMENT_LIMIT, 4) == 0x1234
    for register, offset in (
        (x86.UC_X86_REG_CR0, U.CR0), (x86.UC_X86_REG_CR3, U.CR3), (x86.UC_X86_REG_CR4, U.CR4),
    ):  # fmt: skip
        assert field(env, offset) == uc.reg_read(register)
    uc.reg_write(x86.UC_X86_REG_CR3, 0x7654000)
    assert field(env, U.CR3) == 0x7654000
    assert field(env, U.EFER) == uc.msr_read(0xC0000080) != 0


def test_self_test_passes_and_tells_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not list(selftest._differences())
    for name, value in (
        ("ERROR_CODE", U.ERROR_CODE + 8), ("EFER", 560), ("CPU_HALTED", U.CPU_HALTED + 4),
        ("CPU_CFLAGS_NEXT_TB", U.CPU_CFLAGS_NEXT_TB + 4), ("TB_COUNT", U.TB_COUNT + 4),
        ("CPU_JUMP_CACHE", U.CPU_JUMP_CACHE + 8), ("UC_TO_CPU", 0), ("RAX", 8),
    ):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(unicorn_layout, name, value)
            assert next(selftest._differences(), None), name


@pytest.fixture(scope="module")
def machine() -> Machine:
    machine = build("mov eax, 1; add eax, -1; again: inc rbx; jmp again", "hlt").machine()
    machine.run(0, 2)
    return machine


def test_hashing_changes_nothing(machine: Machine) -> None:
    env = registers.registers_of(machine.state, 0).tobytes()
    first = state_hash(machine)
    assert first == state_hash(machine)
    assert len(first) == 32
    assert env == registers.registers_of(machine.state, 0).tobytes()
    machine.run(0, 1)
    assert state_hash(machine) != first


def test_flags_are_worked_out() -> None:
    """After `add eax, -1` with eax 1: ZF, CF, PF, AF, which the engine has not computed."""
    fresh = build("mov eax, 1; add eax, -1; hlt").machine()
    fresh.run(0, 2)
    env = registers.registers_of(fresh.state, 0)
    assert registers.rflags(env) == 0x57
    before = state_hash(fresh)
    unicorn_flags.canonical_flags(fresh.state)  # as when another core is entered
    assert registers.rflags(registers.registers_of(fresh.state, 0)) == 0x57
    assert state_hash(fresh) == before


ARCHITECTURAL = {
    "rax": 0, "r15": 120, "rip": U.RIP, "if": U.RFLAGS + 1, "df": U.DIRECTION + 1, "cs": U.CS,
    "gs base": U.GS + 8, "ss limit": U.SS + 16, "ds flags": U.DS + 20, "ldt": U.LDT + 8,
    "tr": U.TR, "gdt": U.GDT + 8, "idt limit": U.IDT + 16, "cr0": U.CR0, "cr2": U.CR2,
    "cr3": U.CR3 + 1, "cr4": U.CR4, "dr0": U.DR0, "dr7": U.DR7, "efer": U.EFER,
    "star": U.STAR, "lstar": U.LSTAR, "cstar": U.CSTAR, "fmask": U.FMASK,
    "kernelgsbase": U.KERNEL_GS_BASE, "sysenter": U.SYSENTER_EIP, "pat": U.PAT,
    "top": U.FPU_TOP, "fpu status": U.FPU_STATUS, "fpu control": U.FPU_CONTROL,
    "tag": U.FPU_TAGS + 7, "st0": U.FPU_STACK, "st7": U.FPU_STACK + 7 * 16 + 9,
    "mxcsr": U.MXCSR, "xmm0": U.XMM, "xmm15": U.XMM + 15 * 64 + 15,
    "privilege": U.HFLAGS, "nmi masked": U.HFLAGS2,
}  # fmt: skip
SCRATCH = {
    "error code": U.ERROR_CODE, "is int": U.IS_INT, "next eip": U.IS_INT + 4,
    "padding of cs": U.CS + 4, "padding of st0": U.FPU_STACK + 12, "cc_src2": U.CC_SRC2,
}  # fmt: skip
FLIP = {"if": 2, "nmi masked": 4, "privilege": 8, "cs": 8, "df": 4}


def test_every_register_counts_and_no_scratch_does(machine: Machine) -> None:
    """Core 1 is not in the engine, so its registers can be changed in `env`."""
    before = state_hash(machine)
    for core in (0, 1):
        assert machine.started(core)
    assert machine.state.m[st.M_CURRENT] == 0
    for names, differs in ((ARCHITECTURAL, True), (SCRATCH, False)):
        for name, offset in names.items():
            flip = FLIP.get(name, 1)
            machine.state.env[1, offset] ^= flip
            assert (state_hash(machine) != before) == differs, name
            machine.state.env[1, offset] ^= flip
    assert state_hash(machine) == before


def test_everything_else_counts(machine: Machine) -> None:
    seen = {state_hash(machine), state_hash(machine, b"patcher"), state_hash(machine, b"\0")}
    assert len(seen) == 3
    s = machine.state
    places: list[tuple[Any, Any]] = [
        (s.m, st.M_CLOCK), (s.m, st.M_EXIT), (s.uart, UART_SCR), (s.uart, UART_DIVISOR),
        (s.m, st.M_FWCFG_KEY), (s.m, st.M_FWCFG_AT), (s.core, (0, st.C_STATE)),
        (s.core, (1, st.C_NMI)), (s.core, (0, st.C_SIPI)), (s.apic, (1, st.A_TPR)),
        (s.apic, (0, st.A_DEADLINE)), (s.apic, (1, st.A_IRR + 7)), (s.ram, DATA),
        (s.ram, s.ram.size - 1), (s.ram, 0),
        (s.lines, DATA // st.LINE),
    ]  # fmt: skip
    for array, at in places:
        old = array[at]
        array[at] += 1 if array[at] != 255 else -1
        seen.add(state_hash(machine))
        array[at] = old
    assert len(seen) == 3 + len(places)
    aside: list[tuple[Any, Any]] = [
        (s.m, st.M_PICK),
        (s.core, (0, st.C_RETIRED)),
        (s.apic, (0, st.A_STARTED)),
    ]
    for array, at in aside:
        old = array[at]
        array[at] += 1
        assert state_hash(machine) in seen
        array[at] = old


def test_deadlines_count_from_the_clock(machine: Machine) -> None:
    s = machine.state
    before = state_hash(machine)
    s.apic[0, st.A_DEADLINE] = s.m[st.M_CLOCK] + 100
    first = state_hash(machine)
    assert first != before
    s.apic[0, st.A_DEADLINE] += 1
    assert state_hash(machine) != first
    s.apic[0, st.A_DEADLINE] = st.FOREVER
    assert state_hash(machine) == before


def test_only_what_can_still_be_seen_of_the_text_counts() -> None:
    """The same bytes reached by other stores, and at other text times, is the same state."""

    def hash_after(*stores: bytes, serialise: bool, model: str = "sdm", shift: int = 0) -> str:
        at = site(cores=2, model=model)
        for _ in range(shift):  # history that nobody can see any more
            at.store(0, b"\xcc")
            at.store(0, b"\x0f")
            settle(at.machine)
        for data in stores:
            at.store(0, data)
        if serialise:
            settle(at.machine)
        return state_hash(at.machine)

    call = call_from(site().address)
    steps = (b"\xcc", b"\xcc" + call[1:], call)
    assert hash_after(*steps, serialise=True) == hash_after(call, serialise=True)
    assert hash_after(*steps, serialise=False) != hash_after(call, serialise=False)
    assert hash_after(call, serialise=False) != hash_after(call, serialise=True)
    assert hash_after(call, serialise=False) == hash_after(call, serialise=False, shift=3)
    for serialise in (True, False):
        coherent = hash_after(*steps, serialise=serialise, model="coherent")
        assert coherent == hash_after(call, serialise=True)


def settle(machine: Machine) -> None:
    """Bring all floors to now."""
    machine.state.core[: machine.cores, st.C_FLOOR] = machine.state.m[st.M_TEXT_NOW]


def test_floors_between_the_same_stores_are_the_same() -> None:
    hashes = []
    for floors in ([0, 1], [0, 2], [1, 1], [2, 2]):
        at = site(cores=2)
        at.store(0, b"\xcc")
        at.store(8, b"\xcc" * 2)
        now = int(at.machine.state.m[st.M_TEXT_NOW])
        at.machine.state.core[:2, st.C_FLOOR] = [now - 2 + floor for floor in floors]
        hashes.append(state_hash(at.machine))
    assert len(set(hashes)) == 4
    at = site(cores=2)
    at.store(0, b"\xcc")
    at.store(8, b"\xcc" * 2)
    state = at.machine.state
    state.history[:2, st.H_TIME] = [100, 200]  # as after other history
    state.core[:2, st.C_FLOOR] = [99, 150]
    state.m[st.M_TEXT_NOW] = 300
    assert state_hash(at.machine) == hashes[0]


def test_64_mib_take_less_than_a_fifth_of_a_second() -> None:
    """Processor time, so that a busy machine does not matter; 0.06 s measured."""
    machine = build("hlt").machine(ram_mib=64)
    rng = np.random.default_rng(1)
    machine.state.ram[1 << 23 :] = rng.integers(0, 256, machine.state.ram.size - (1 << 23))
    times = []
    for _ in range(3):
        start = time.process_time()
        state_hash(machine)
        times.append(time.process_time() - start)
    assert min(times) < 0.2
