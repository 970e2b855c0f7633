"""How a guest ends its machine: by which device, and what people are told.

What QEMU calls a reset ends this machine, as `-no-reboot` has it.
"""

from types import MappingProxyType

from emu.machine.native import jit
from emu.machine.state import M_END, M_STOP_AFTER, STOP_FOR_EXIT, State

NOT_ENDED, BY_DEBUG_EXIT, BY_I8042, BY_RESET_CONTROL, BY_PORT_92, BY_POWER_OFF = range(6)

SENTENCES = MappingProxyType({
    BY_DEBUG_EXIT: "the guest wrote to the debug-exit port (0xf4)",
    BY_I8042: "the guest reset the machine (keyboard controller, port 0x64)",
    BY_RESET_CONTROL: "the guest reset the machine (reset control register, port 0xcf9)",
    BY_PORT_92: "the guest reset the machine (system control port 0x92)",
    BY_POWER_OFF: "the guest switched the machine off (ACPI state S5, port 0x604)",
})  # fmt: skip
"""What to tell people, in one sentence for each reason."""


@jit
def end(s: State, why: int) -> None:
    """End the machine after the instruction that runs."""
    s.m[M_END] = why
    s.m[M_STOP_AFTER] |= STOP_FOR_EXIT
