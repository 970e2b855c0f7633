"""A machine that runs in a thread of its own, beside others of Python."""

import threading

from emu.machine import loop
from emu.machine.machine import Machine
from emu.moves.chooser import round_robin
from tests.machine.guest_builder import build
from tests.machine.guest_tables import DATA

_BOUND = 3_000_000_000  # instructions: seconds, which pass only if nobody else gets a turn


def test_other_threads_run_while_a_machine_does() -> None:
    code = f"cli; mov ebx, {DATA}; mov byte ptr [rbx], 1; wait: cmp byte ptr [rbx + 1], 0; je wait"
    machine = build(f"{code}; hlt").machine()
    whys: list[int] = []

    def drive(machine: Machine) -> None:
        whys.append(machine.drive(round_robin(1_000_000), instructions=_BOUND))

    thread = threading.Thread(target=drive, args=(machine,))
    thread.start()
    while not machine.state.ram[DATA]:  # it is in the middle of its drive
        pass
    machine.state.ram[DATA + 1] = 1
    thread.join()
    assert whys == [loop.STUCK]
