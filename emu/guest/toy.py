"""A kernel that meets kernels/include/poke.h: the toy kernel, or anybody's.

Variables are found by symbol and laid out by DWARF. `cpus[].current` and `struct task` are the
optional part of that contract: a kernel without them has cores, but no names for their tasks.
"""

from functools import cached_property

from emu.errors import BadImage, BadSymbol, TextpokeError
from emu.guest.tasks import Task
from emu.guest.virtual import VirtualMemory
from emu.image.elf import ElfImage
from emu.image.objects import Object, Objects
from emu.machine.machine import Machine

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
        if not self._names_tasks:
            return None
        try:
            task = self._object("cpus")[core].current  # type: ignore[union-attr] # an Object
            if not isinstance(task, Object) or not task:
                return None
            comm = task.comm
            pid = task.pid
        except TextpokeError:
            return None  # paging is not on yet
        assert isinstance(comm, Object)
        return Task(int(pid), comm.string_())

    def online(self) -> int:
        """Return the started cores, as a bit mask."""
        return sum(1 << core for core in range(self.machine.cores) if self.machine.started(core))

    def all_run_tasks(self) -> bool:
        """Return whether `cpus_running` has reached `cpus_online`."""
        try:
            running, online = self.objects["cpus_running"], self.objects["cpus_online"]
        except TextpokeError:
            return False  # paging is not on yet
        return int(running) == int(online) > 0

    @cached_property
    def _names_tasks(self) -> bool:
        try:
            members = self.image.types.struct("task").names()
        except (BadSymbol, BadImage):
            return False
        return {"comm", "pid"} <= set(members) and "cpus" in self.image.symbols

    def _object(self, name: str) -> Object:
        found = self.objects[name]
        assert isinstance(found, Object), name
        return found
