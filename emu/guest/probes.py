"""What a guest lets the machine note, as events that mean the same in every kernel.

Numbers from PROBE + 1 on are detectors'. A kernel that patches itself tells its phases as
`events.PHASE`, by the core that patches: a: the phase, as of the patcher; b, task: of "arm", the
address of the first descriptor and how many there are, else 0.
"""

from typing import Final

from emu.machine.events import PROBE

SWITCH: Final = PROBE + 16
"""A core goes from one task to another, as Linux's tracepoint sched_switch tells it
(include/trace/events/sched.h). a: not 0 in its low byte if the core was taken from the first;
b, task: addresses of the descriptors of the first and the other; stack: in its low 32 bits the
state of the first, 0 if it could go on.
"""

INT3: Final = PROBE + 17
"""An int3 handler of the kernel has looked at a breakpoint. a: not 0 in its low 32 bits if it has
taken it for its own; b: whose it is, of INT3_HANDLERS; task: the descriptor of the core's task.
"""

INT3_HANDLERS: Final = ("text_poke", "kprobe")

SYNC: Final = PROBE + 18
"""A core serialises itself because somebody has changed text, asked by an interrupt or by itself.
task: the descriptor of its task.
"""

GRACE_BEGIN: Final = PROBE + 19
"""A grace period of Tasks-RCU begins. a: of which flavour, the address of its descriptor (struct
rcu_tasks); task: the descriptor of the task that waits for it.
"""

GRACE_END: Final = PROBE + 20
"""The grace period that the same task waited for is over. a: 0; task: as of GRACE_BEGIN."""

LIVEPATCH: Final = PROBE + 21
"""A live patch goes over from one state to the other. a: which step, of LIVEPATCH_STEPS; b: the
patch (struct klp_patch) where the step is "init", else 0; task: the descriptor of who does it.
"""

LIVEPATCH_STEPS: Final = ("init", "start", "try", "reverse", "cancel", "complete")

LIVEPATCH_TASK: Final = PROBE + 22
"""A task was looked at: may it run the patched functions from now on? a: in its low 32 bits 0 if it
does, else why not, an error number (-16: it runs, -98: it stands in a patched function, -22: its
stack is not reliable); b: 1 if the task has come to it by itself, on its way to ring 3; task: the
descriptor of the task.
"""

KPROBE: Final = PROBE + 23
"""A kprobe is armed or disarmed. a: of KPROBE_STEPS; b: the kprobe (struct kprobe); task: the
address it is at. Of "optimize" and "unoptimize", b is the head of a list, and task is 0.
"""

KPROBE_STEPS: Final = ("arm", "disarm", "optimize", "unoptimize")

FTRACE: Final = PROBE + 24
"""ftrace changes what its sites call. a: of FTRACE_STEPS; b: of "modify" the command
(FTRACE_UPDATE_CALLS and so on, of include/linux/ftrace.h), else 0; task: who does it.
"""

FTRACE_STEPS: Final = ("prepare", "modify", "done")

OOPS: Final = PROBE + 25
"""A kernel has found a fault of its own that it cannot mend. task: the descriptor of the core's
task.
"""

REACHED: Final = PROBE + 64
"""A core executes what a hold waits for. a: the number of the hold."""
