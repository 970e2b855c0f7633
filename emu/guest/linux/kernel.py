"""A stock Linux kernel on a machine. See `Guest` for what can be asked.

Everything is found by symbol and laid out by BTF, and nothing is asked of a version. Before it is
known where the kernel runs (`slide`), it has link addresses, no memory, no tasks and no probes:
who needs the probes asks again when `slide` is there.
"""

from dataclasses import replace
from functools import cached_property

from emu.errors import BadImage, TextpokeError
from emu.guest.code import CodeRegion
from emu.guest.linux.ftrace import Ftrace
from emu.guest.linux.here import Here
from emu.guest.linux.kprobes import Kprobe, Kprobes
from emu.guest.linux.livepatch import LivePatch, Livepatches, Transition
from emu.guest.linux.modules import Module, Modules
from emu.guest.linux.probes import kernel_probes
from emu.guest.linux.slide import Slide, find_slide
from emu.guest.linux.task_state import has_ended
from emu.guest.stack import Stack
from emu.guest.tasks import Task, cores_of
from emu.image.linux_image import LinuxImage
from emu.image.objects import Objects
from emu.machine.machine import Machine
from emu.machine.probes import Probe

_CALL_FUNCTION, _CALL_FUNCTION_SINGLE = 0xFC, 0xFB  # arch/x86/include/asm/irq_vectors.h


class _Known:
    """What never changes in a run, once it is known: shared by all guests of a run."""

    def __init__(self, linked: LinuxImage) -> None:
        self.linked, self.image = linked, linked
        self.slide: Slide | None = None
        self.probes: tuple[Probe, ...] | None = None
        self.added: list[CodeRegion] = []


class LinuxGuest:
    """A Linux kernel on a machine."""

    def __init__(self, machine: Machine, image: LinuxImage) -> None:
        """Look at a machine; image: as it was linked."""
        self.machine = machine
        self._known = _Known(image)

    @property
    def slide(self) -> Slide | None:
        """By how much the kernel is not where it was linked; None if that cannot be told yet."""
        known = self._known
        if known.slide is None:
            known.slide = find_slide(self.machine, known.linked)
            if known.slide is not None:
                known.image = known.linked.slid(known.slide.virtual, known.slide.physical)
        return known.slide

    @property
    def image(self) -> LinuxImage:
        """Its image, at the addresses it runs at as soon as `slide` is known."""
        _ = self.slide
        return self._known.image

    def require_contract(self) -> None:
        """Raise BadImage: this kernel patches itself, and nobody else may."""
        raise BadImage(
            f"{self.image.name} patches itself, so it cannot be patched from outside: load a live "
            "patch (docs/linux.md)"
        )

    @property
    def objects(self) -> Objects:
        """The kernel's variables, typed; BadImage if it has no debug information."""
        return self._here.objects

    def physical(self, address: int) -> int:
        """Return the physical address of a virtual one."""
        return self._here.memory.physical(address)

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of the kernel's memory."""
        return self._here.memory.read(address, size)

    # --- tasks ---------------------------------------------------------------------------------

    def current(self, core: int) -> Task | None:
        """Return the task a core runs; None before it has one."""
        address = self._here.percpu.current(core) if self.machine.started(core) else None
        found = None if address is None else self.task_at(address)
        return None if found is None else replace(found, core=core)

    def task_at(self, address: int) -> Task | None:
        """Return the task whose descriptor is at an address, also one that has ended."""
        listed = self._here.tasks
        try:
            found = None if listed is None else listed.at(address)
        except TextpokeError:
            return None
        return found if found is not None and found.comm else None

    def has_ended(self, state: int) -> bool:
        """Return whether this is TASK_DEAD, which is what an ending task is left in."""
        return has_ended(state)

    def tasks(self) -> tuple[Task, ...]:
        """Return all threads, the idle task of each core first; none before there are any."""
        listed = self._here.tasks
        if listed is None:
            return ()
        idle = (self._here.percpu.idle(core) for core in range(self.machine.cores))
        first = (self.task_at(address) for address in idle if address is not None)
        found = {task.address: task for task in first if task is not None}
        for task in listed.all():
            found.setdefault(task.address, task)
        cores = cores_of(self.machine, tuple(found.values()), self._here.percpu.current)
        return tuple(replace(task, core=cores.get(task.address)) for task in found.values())

    def preempt_count(self, core: int) -> int | None:
        """Return a core's preempt count (include/linux/preempt.h); None before it has one."""
        return self._here.percpu.preempt_count(core)

    # --- code and what is done to it -----------------------------------------------------------

    def stack(self, task: Task) -> Stack:
        """Return the stack of a task, which `tasks` has returned since the last move."""
        return self._here.stack(task)

    def describe(self, address: int) -> str:
        """Return `vfs_read+0x5`, also for modules and trampolines; else the address in hex."""
        return self._here.describe(address)

    def add_code(self, region: CodeRegion) -> None:
        """Take note of code that the kernel itself knows nothing of."""
        self._known.added.append(region)

    def regions(self) -> tuple[CodeRegion, ...]:
        """Return modules, trampolines of ftrace and what was added, by ascending address."""
        return self._here.regions()

    def modules(self) -> tuple[Module, ...]:
        """Return the modules that are loaded."""
        return Modules(self.objects).all()

    @property
    def ftrace(self) -> Ftrace:
        """What ftrace has done; BadSymbol if the kernel has none."""
        return Ftrace(self.objects)

    def livepatches(self) -> tuple[LivePatch, ...]:
        """Return the live patches that are registered, the oldest first."""
        return Livepatches(self.objects).patches()

    def transition(self) -> Transition | None:
        """Return the transition of a live patch that is under way, or None."""
        return Livepatches(self.objects).transition()

    def kprobes(self) -> tuple[Kprobe, ...]:
        """Return the kprobes by ascending address."""
        return Kprobes(self.objects).all()

    # --- cores ---------------------------------------------------------------------------------

    def probes(self) -> tuple[Probe, ...]:
        """Return the probes by which the kernel's events come about; none before `slide`."""
        known, image = self._known, self.image
        if known.probes is None and known.slide is not None:
            known.probes = kernel_probes(image)
        return known.probes or ()

    @property
    def sync_vector(self) -> int | None:
        """The vector by which a core asks the others to serialise; None while there is one core.

        The same vectors are for all functions that cores call on others: CALL_FUNCTION_VECTOR,
        and CALL_FUNCTION_SINGLE_VECTOR where one core is asked, so with two cores always. Which
        of them are syncs, events tell: those sent between PHASE "sync1" and "tail" and so on, by
        the same core; and a core that has done it makes the event SYNC. An idle core that polls
        is not interrupted at all. Source: kernel/smp.c, smp_call_function_many_cond.
        """
        cores = self.online().bit_count()
        if cores < 2:
            return None
        return _CALL_FUNCTION_SINGLE if cores == 2 else _CALL_FUNCTION

    def online(self) -> int:
        """Return the cores that the kernel uses, as a bit mask."""
        symbol = self.image.symbols.get("__cpu_online_mask")
        try:
            mask = 0 if symbol is None else int.from_bytes(self.read(symbol.address, 8), "little")
        except TextpokeError:
            return 0
        return mask & (1 << self.machine.cores) - 1

    def all_run_tasks(self) -> bool:
        """Return whether the kernel has started all cores and runs programs (SYSTEM_RUNNING)."""
        try:
            state, running = int(self.objects["system_state"]), self.objects["SYSTEM_RUNNING"]
        except TextpokeError:
            return False
        return state == int(running)

    def on(self, machine: Machine) -> "LinuxGuest":
        """Return the same kernel, code that is added later included, as another machine has it."""
        other = LinuxGuest(machine, self._known.linked)
        other._known = self._known
        return other

    @cached_property
    def _nowhere(self) -> Here:
        return Here(self.machine, self._known.linked, None, self._known.added)

    @cached_property
    def _somewhere(self) -> Here:
        known = self._known
        return Here(self.machine, known.image, known.slide, known.added)

    @property
    def _here(self) -> Here:
        return self._nowhere if self.slide is None else self._somewhere
