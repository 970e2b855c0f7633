"""How a core stands: what a person asks first about one that does nothing any more."""

from dataclasses import dataclass
from typing import Final, Literal

from emu.machine.registers import registers_of, rflags
from emu.machine.state import C_STATE, CORE_DEAD, CORE_HALTED, CORE_RUNS, CORE_WAITS, State
from emu.machine.unicorn_layout import (
    CR0,
    CR2,
    CR3,
    CS,
    CS32,
    CS64,
    FLAG_IF,
    HFLAGS,
    OLD_EXCEPTION,
    REGISTERS,
    RIP,
    SEGMENT_BASE,
)

GENERAL: Final = (
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
)  # fmt: skip
"""The general registers by their numbers (SDM 2, table 2-2 and section 2.2.1.2)."""

Activity = Literal["runs", "halted", "waits", "shut down", "cannot go on"]

_ACTIVITIES: Final[dict[int, Activity]] = {
    CORE_RUNS: "runs",
    CORE_HALTED: "halted",
    CORE_WAITS: "waits",
    CORE_DEAD: "cannot go on",
}
_DOUBLE_FAULT = 8
_PROTECTED, _PAGING, _V8086 = 1, 1 << 31, 1 << 17


@dataclass(frozen=True, slots=True)
class Standing:
    """A core as it stands.

    Attributes:
        core: its number.
        activity: "waits" is for the start-up IPI; "shut down" is after a triple fault; "cannot
            go on" is where the engine has given up.
        rip: linear address of the next instruction; cr2, cr3, rflags: as they are.
        registers: the general ones, in the order of GENERAL.
        mode: size of its code, "16-bit" to "64-bit", or "v8086"; real: without protection.
        ring: its privilege level. paging, interrupts: whether they are on.
    """

    core: int
    activity: Activity
    rip: int
    cr2: int
    cr3: int
    rflags: int
    registers: tuple[int, ...]
    mode: str
    ring: int
    paging: bool
    interrupts: bool


def standing(s: State, core: int) -> Standing:
    """Return how a core stands; without any effect."""
    env = registers_of(s, core)

    def field(offset: int, size: int = 8) -> int:
        return int.from_bytes(env[offset : offset + size].tobytes(), "little")

    activity = _ACTIVITIES[int(s.core[core, C_STATE])]
    if activity == "cannot go on" and field(OLD_EXCEPTION, 4) == _DOUBLE_FAULT:
        activity = "shut down"
    flags, hflags, cr0 = rflags(env), field(HFLAGS, 4), field(CR0)
    return Standing(
        core,
        activity,
        field(RIP) + field(CS + SEGMENT_BASE) & (1 << 64) - 1,
        field(CR2),
        field(CR3),
        flags,
        tuple(field(REGISTERS + 8 * number) for number in range(len(GENERAL))),
        _mode(hflags, cr0, flags),
        hflags & 3,
        bool(cr0 & _PAGING),
        bool(flags & FLAG_IF),
    )


def _mode(hflags: int, cr0: int, flags: int) -> str:
    if not cr0 & _PROTECTED:
        return "real"
    if flags & _V8086:
        return "v8086"
    return "64-bit" if hflags & CS64 else "32-bit" if hflags & CS32 else "16-bit"
