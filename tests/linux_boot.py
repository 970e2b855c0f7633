"""A stock kernel on our machine, booted once for all tests: what our guest says, and the kernel.

A script goes through stages; at the end of each it sends MARK, and what the guest says then is kept
beside what the kernel itself said of the same.
"""

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from emu import resources
from emu.guest.linux.ftrace import FtraceOps, FtraceRecord
from emu.guest.linux.kernel import LinuxGuest
from emu.guest.linux.kprobes import Kprobe
from emu.guest.linux.livepatch import LivePatch, Transition
from emu.guest.linux.modules import Module
from emu.guest.stack import Stack
from emu.guest.tasks import Task
from emu.image import initramfs
from emu.image.linux_image import LinuxImage
from emu.lab.linux import COMMAND_LINE
from emu.machine import loop
from emu.machine.machine import Machine
from emu.moves.chooser import round_robin

APPEND = f"{COMMAND_LINE} mitigations=auto loglevel=3"  # with mitigations and page-table isolation
MARK = b"\x1a"
CORES = 2
MOVES = 10_000  # behind the mark, until the first process sleeps
BOUND = 6_000_000_000  # instructions; a boot and all stages take 1,500 million
_PIECE = 200_000_000

STAGES = {
    "tasks": "ls /proc\ncat /proc/2/status /proc/2/stack\n",
    "traced": """\
cd /sys/kernel/tracing
echo cmdline_proc_show > set_ftrace_filter
echo function > current_tracer
cat enabled_functions dyn_ftrace_total_info
""",
    "probed": """\
echo nop > current_tracer
echo > set_ftrace_filter
echo p:entry vfs_read > kprobe_events
try echo p:inside cmdline_proc_show+5 >> kprobe_events
try echo p:inside cmdline_proc_show+9 >> kprobe_events
echo 1 > events/kprobes/enable
read /proc/cmdline
cat /sys/kernel/debug/kprobes/list
sleep 0.5
""",
    "unprobed": "echo 0 > events/kprobes/enable\necho > kprobe_events\n",
    "returning": """\
echo hrtimer_nanosleep > set_ftrace_filter
echo function_graph > current_tracer
echo r:left do_nanosleep > kprobe_events
echo 1 > events/kprobes/enable
""",
    "returned": """\
echo 0 > events/kprobes/enable
echo > kprobe_events
echo nop > current_tracer
echo > set_ftrace_filter
""",
}
PATCHED = {
    "patched": """\
insmod /lp_cmdline.ko
wait /sys/kernel/livepatch/lp_cmdline/transition 0
cat /proc/modules enabled_functions
grep lp_cmdline /proc/kallsyms
""",
    "unpatched": """\
echo 0 > /sys/kernel/livepatch/lp_cmdline/enabled
wait gone /sys/kernel/livepatch/lp_cmdline
rmmod lp_cmdline
""",
}


@dataclass(frozen=True)
class Stage:
    """What was so at the end of a stage.

    said: by the kernel, during it. events: how many there had been. names: of addresses that
    were asked for. init_stack: the words on the stack of the first process.
    """

    said: str
    events: int
    tasks: tuple[Task, ...]
    stacks: Mapping[int, Stack]
    current: tuple[Task | None, ...]
    preempt_counts: tuple[int | None, ...]
    records: tuple[FtraceRecord, ...]
    ops: tuple[FtraceOps, ...]
    kprobes: tuple[Kprobe, ...]
    modules: tuple[Module, ...]
    livepatches: tuple[LivePatch, ...]
    transition: Transition | None
    names: Mapping[int, str]
    init_stack: frozenset[int]


@dataclass
class Booted:
    """A kernel that has gone through the stages."""

    image: LinuxImage
    machine: Machine
    guest: LinuxGuest
    first: Stage
    stages: dict[str, Stage] = field(default_factory=dict)

    def rows(self, stage: str) -> NDArray[np.int64]:
        """Return the events of a stage."""
        ends = {"": self.first.events, **{name: each.events for name, each in self.stages.items()}}
        names = list(ends)
        begin = ends[names[names.index(stage) - 1]]
        return self.machine.events.since(begin)[: ends[stage] - begin]


def boot(image: LinuxImage, modules: Mapping[str, bytes] | None) -> Booted:
    """Return a kernel that was booted; modules: for the stages of live patches, None without."""
    stages = {**STAGES, **(PATCHED if modules else {})}
    mark = f"echo {MARK.decode()}\nsleep 0.2\n"  # while the console may still be sending it
    script = "".join(f"{mark}{commands}" for commands in stages.values()) + mark
    init = resources.init().read_bytes()
    started = image.with_initramfs(initramfs.build(init, script.encode(), dict(modules or {})))
    machine = Machine(
        started.boot_image, cores=CORES, ram_mib=256, command_line=APPEND, model="coherent"
    )
    guest = LinuxGuest(machine, started)
    machine.set_probes(guest.probes())
    machine.watch(MARK[0])
    chooser = round_robin(20_000)

    def reached(number: int) -> bool:
        return machine.output.count(MARK) > number

    run(machine, lambda: reached(0), chooser)
    booted = Booted(started, machine, guest, look(guest, 0))
    for number, name in enumerate(stages, 1):
        begin = len(machine.output)
        run(machine, lambda number=number: reached(number), chooser)  # type: ignore[misc] # bound now
        for _ in range(MOVES):
            if asleep(guest):
                break
            machine.drive(chooser, moves=1)
        booted.stages[name] = look(guest, begin)
    return booted


def asleep(guest: LinuxGuest) -> bool:
    """Return whether the first process does what it does behind each mark."""
    first = next((task for task in guest.tasks() if task.pid == 1), None)
    if first is None or first.state != "sleeping":
        return False
    return any(frame.function == "do_nanosleep" for frame in guest.stack(first).frames)


def run(machine: Machine, until: Callable[[], bool], chooser: object) -> None:
    """Let a machine run until something is so; fails if that never comes."""
    while not until():
        why = machine.drive(chooser, instructions=_PIECE)  # type: ignore[arg-type] # a Chooser
        if why not in (loop.BOUND, loop.OUTPUT) or machine.retired() > BOUND:
            said = machine.output[-500:].decode("utf-8", "replace")
            pytest.fail(f"the kernel stopped ({loop.WHY.get(why, why)}): {said}")


def look(guest: LinuxGuest, begin: int) -> Stage:
    """Return what a guest says now; begin: of the output of this stage."""
    machine, tasks = guest.machine, guest.tasks()
    modules, ops = guest.modules(), guest.ftrace.ops()
    asked = [module.text[0] for module in modules]
    asked += [each.trampoline[0] for each in ops if each.trampoline]
    asked += [symbol.address for module in modules for symbol in module.symbols]
    return Stage(
        said=machine.output[begin:].decode("utf-8", "replace").replace("\r", ""),
        events=len(machine.events),
        tasks=tasks,
        stacks={task.address: guest.stack(task) for task in tasks},
        current=tuple(guest.current(core) for core in range(machine.cores)),
        preempt_counts=tuple(guest.preempt_count(core) for core in range(machine.cores)),
        records=guest.ftrace.records(),
        ops=ops,
        kprobes=guest.kprobes(),
        modules=modules,
        livepatches=guest.livepatches(),
        transition=guest.transition(),
        names={address: guest.describe(address) for address in asked},
        init_stack=_words(guest, next((task for task in tasks if task.pid == 1), None)),
    )


def _words(guest: LinuxGuest, task: Task | None) -> frozenset[int]:
    if task is None or task.bounds is None or not task.sp:
        return frozenset()
    data = guest.read(task.sp, task.bounds[1] - task.sp)
    return frozenset(struct.unpack(f"<{len(data) // 8}Q", data))


def numbers(text: str, pattern: str) -> list[int]:
    """Return the hexadecimal numbers in a text that a pattern has in its first group."""
    return [int(found, 16) for found in re.findall(pattern, text)]
