"""A kernel that meets kernels/include/poke.h: the toy kernel, or anybody's.

Variables are found by symbol and laid out by DWARF. `cpus[].current` and `struct task` are the
optional part of that contract: a kernel without them has cores, but no names for their tasks.
"""

from dataclasses import replace
from functools import cached_property

from emu.errors import BadImage, TextpokeError
from emu.guest.code import RESUME, Code, CodeRegion
from emu.guest.probes import SWITCH
from emu.guest.registers import of_core, resuming
from emu.guest.stack import Stack
from emu.guest.task_list import TaskList
from emu.guest.tasks import ENDED, Task, cores_of
from emu.guest.virtual import VirtualMemory
from emu.guest.walk import Walk
from emu.image.elf import ElfImage
from emu.image.objects import Object, Objects
from emu.machine.machine import Machine
from emu.machine.probes import Probe

CONTRACT = (
    "bp_desc",
    "tp_vec",
    "sync_core_pending",
    "sync_core_vector",
    "cpus_online",
    "cpus_running",
    "poke_arena",
    "poke_arena_end",
    "int3_unhandled",
    "_stext",
)


class ToyGuest:
    """A kernel with poke.h, on a machine. See `Guest` for what can be asked."""

    def __init__(self, machine: Machine, image: ElfImage) -> None:
        self.machine, self.image = machine, image
        self._memory = VirtualMemory(machine, image.symbols)
        self._code = Code(image, self._memory.read)

    @cached_property
    def objects(self) -> Objects:
        """The kernel's variables, typed; BadImage if it has no debug information."""
        return Objects(self.image.symbols, self.image.types, self._memory.read)

    def require_contract(self) -> None:
        """Raise BadImage if the kernel lacks something that patching needs."""
        missing = [name for name in CONTRACT if name not in self.image.symbols]
        if missing:
            raise BadImage(
                f"{self.image.name} cannot be patched: it lacks {', '.join(missing)}; "
                "kernels/include/poke.h says what a kernel provides"
            )

    def physical(self, address: int) -> int:
        """Return the physical address of a virtual one."""
        return self._memory.physical(address)

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of the kernel's memory."""
        return self._memory.read(address, size)

    def current(self, core: int) -> Task | None:
        """Return the task a core runs; None before there are tasks, or if there are no names."""
        listed, address = self._task_list, self._current(core)
        if listed is None or not address:
            return None
        try:
            return replace(listed.at(address), core=core)
        except TextpokeError:
            return None  # the pointer leads nowhere yet

    def task_at(self, address: int) -> Task | None:
        """Return the task whose descriptor is at an address, also one that has ended."""
        if self._task_list is None:
            return None
        try:
            return self._task_list.at(address)
        except TextpokeError:
            return None

    def has_ended(self, state: int) -> bool:
        """Return whether this is TASK_DEAD, which is what an ending task is left in."""
        listed = self._task_list
        return state != 0 and listed is not None and listed.state_name(state) in ENDED

    def probes(self) -> tuple[Probe, ...]:
        """Return the probe of task switches, if the kernel tells of them; see poke.h."""
        symbol = self.image.symbols.get("trace_sched_switch")
        physical = None if symbol is None else self.image.load_address(symbol.address)
        return () if physical is None else (Probe(physical, SWITCH, arguments=True),)

    @property
    def sync_vector(self) -> int | None:
        """The value of `sync_core_vector`; None before paging is on, or if there is none."""
        symbol = self.image.symbols.get("sync_core_vector")
        try:
            return self.read(symbol.address, 1)[0] if symbol else None
        except TextpokeError:
            return None

    def tasks(self) -> tuple[Task, ...]:
        """Return all tasks; none before there are any, or if the kernel does not say."""
        if self._task_list is None:
            return ()
        try:
            found = self._task_list.all()
        except TextpokeError:
            return ()  # paging is not on yet
        cores = cores_of(self.machine, found, self._current)
        return tuple(replace(t, core=cores.get(t.address)) for t in found)

    def transition(self) -> None:
        """Return None: live patches are the patcher's here."""

    def stack(self, task: Task) -> Stack:
        """Return the stack of a task, which `tasks` has returned since the last move."""
        machine, symbols = self.machine, self.image.symbols
        if task.core is not None:
            read = VirtualMemory(machine, symbols, task.core).read
            return Walk(self._code, read, task.bounds).stack(of_core(machine, task.core))
        resume = symbols.get(RESUME)
        if resume is None:
            return Stack((), f"{self.image.name} has no label {RESUME}, where a task goes on")
        if not task.sp:
            return Stack((), "the task has no core, and its stack pointer is not known")
        read = VirtualMemory(machine, symbols, cr3=task.cr3 or None).read
        return Walk(self._code, read, task.bounds).stack(resuming(resume.address, task.sp))

    def add_code(self, region: CodeRegion) -> None:
        """Take note of code that is in no image, so that stacks are walked through it."""
        self._code.add(region)

    def regions(self) -> tuple[CodeRegion, ...]:
        """Return the code that was added, by ascending address."""
        return self._code.regions()

    def describe(self, address: int) -> str:
        """Return `vfs_read+0x5`, also for code that was added; else the address in hex."""
        try:
            place = self._code.at(address)
        except BadImage:
            place = None  # its call frame information is malformed, which is of no concern here
        if place is None or place.function is None:
            return self.image.symbols.describe(address)
        return f"{place.function}+{place.offset:#x}" if place.offset else place.function

    def on(self, machine: Machine) -> "ToyGuest":
        """Return the same kernel, code that is added later included, as another machine has it."""
        other = ToyGuest(machine, self.image)
        other._code = self._code.read_by(other._memory.read)
        return other

    def online(self) -> int:
        """Return the started cores, as a bit mask."""
        return sum(1 << core for core in range(self.machine.cores) if self.machine.started(core))

    def all_run_tasks(self) -> bool:
        """Return whether `cpus_running` has reached `cpus_online`; BadImage as of `objects`."""
        objects = self.objects
        try:
            running, online = objects["cpus_running"], objects["cpus_online"]
        except TextpokeError:
            return False  # paging is not on yet
        return int(running) == int(online) > 0

    @cached_property
    def _task_list(self) -> TaskList | None:
        try:
            types = self.image.types
        except BadImage:
            return None
        return TaskList.find(self.image.symbols, types, self._memory.read)

    def _current(self, core: int) -> int | None:
        """Return the address of the task that the kernel says a core runs, None if of none."""
        try:
            cpus = self.objects["cpus"]
            task = cpus[core].current if isinstance(cpus, Object) else None  # type: ignore[union-attr] # an Object
            return int(task) or None if isinstance(task, Object) else None
        except (TextpokeError, AttributeError, IndexError):
            return None  # paging is not on yet, or the kernel has no such thing
