"""What a guest lets the machine note, as events that mean the same in every kernel."""

from typing import Final

from emu.machine.events import PROBE

SWITCH: Final = PROBE + 16
"""A core goes from one task to another, as Linux's tracepoint sched_switch tells it
(include/trace/events/sched.h). a: not 0 in its low byte if the core was taken from the first;
b, task: addresses of the descriptors of the first and the other; stack: in its low 32 bits the
state of the first, 0 if it could go on. Numbers from PROBE + 1 on are detectors'.
"""

REACHED: Final = PROBE + 64
"""A core executes what a hold waits for. a: the number of the hold."""
