"""A Linux kernel where it runs on one machine: its memory, and all that is found in it by symbol.

Made once it is known where that is. Before, every read fails and says so.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NoReturn

from emu.errors import BadImage, TextpokeError
from emu.guest.code import CodeRegion, Regions
from emu.guest.linux.code import GeneratedCode
from emu.guest.linux.memory import KernelMemory
from emu.guest.linux.percpu import PerCpu
from emu.guest.linux.slide import Slide
from emu.guest.linux.stacks import ReturnAddresses, core_stacks
from emu.guest.linux.tasks import LinuxTasks
from emu.guest.orc_frames import OrcFrames
from emu.guest.registers import of_core
from emu.guest.stack import Stack
from emu.guest.tasks import Task
from emu.image.linux_image import LinuxImage
from emu.image.objects import Objects
from emu.image.orc import OrcTable
from emu.machine.machine import Machine

_UNKNOWN: Final = "where the kernel runs is not known yet (KASLR): let it run on, or boot nokaslr"


class Here:
    """A kernel on a machine.

    Attributes:
        memory: its memory.
        percpu: its per-CPU variables.

    Args:
        machine: it runs on.
        image: where it runs.
        slide: that; None: nobody knows.
        added: code that the kernel itself knows nothing of; it may grow.
    """

    def __init__(
        self,
        machine: Machine,
        image: LinuxImage,
        slide: Slide | None,
        added: Sequence[CodeRegion],
    ) -> None:
        self._machine, self._image, self._added = machine, image, added
        self.memory = _Nowhere(machine, image) if slide is None else KernelMemory(machine, image)
        self.percpu = PerCpu(image, self.memory.read)
        self._regions = Regions()
        self._looked: tuple[int, int, int] | None = None

    @cached_property
    def objects(self) -> Objects:
        """The kernel's variables, typed; BadImage if it has no debug information."""
        return Objects(self._image.symbols, self._image.types, self.memory.read)

    @cached_property
    def tasks(self) -> LinuxTasks | None:
        """The tasks; None if the kernel does not say how they are laid out."""
        try:
            return LinuxTasks(self._image, self.memory.read)
        except BadImage:
            return None

    def describe(self, address: int) -> str:
        """Return an address by name, that of a module or a trampoline, too."""
        found = self._image.symbols.near(address)
        if found is not None and self._image.is_executable(address):
            return found
        self._look()
        region = self._regions.find(address)
        return (found or f"{address:#x}") if region is None else region.symbols.describe(address)

    def regions(self) -> tuple[CodeRegion, ...]:
        """Return the code that is in no image now."""
        self._look()
        return self._regions.all()

    def stack(self, task: Task) -> Stack:
        """Return the stack of a task."""
        frames, machine, image = self._frames, self._machine, self._image
        if frames is None:
            return Stack((), f"{image.name} has no ORC tables, by which stacks are read")
        self._look()
        memory = self.memory if task.core is None else KernelMemory(machine, image, task.core)
        original = ReturnAddresses(image, memory.read, task.address).original
        if task.core is not None:
            others = core_stacks(image, self.percpu, task.core)
            start = of_core(machine, task.core)
            return frames.stack(memory.read, start, task.bounds, others, original)
        if not task.sp:
            return Stack((), "the task has no core, and its stack pointer is not known")
        try:
            start = frames.resuming(task.sp)
        except TextpokeError as error:
            return Stack((), str(error))
        return frames.stack(memory.read, start, task.bounds, original=original)

    @cached_property
    def _frames(self) -> OrcFrames | None:
        try:
            return OrcFrames(OrcTable.of(self._image), self._image)
        except BadImage:
            return None

    @cached_property
    def _generated(self) -> GeneratedCode | None:
        try:
            return GeneratedCode(self.objects, self._frames)
        except BadImage:
            return None

    def _look(self) -> None:
        """Find what code there is, unless nothing has changed since the last look."""
        now = self._machine.retired(), self._machine.now, len(self._added)
        if now == self._looked:
            return
        generated = () if self._generated is None else self._generated.regions()
        self._looked, self._regions = now, Regions((*generated, *self._added))
        if self._frames is not None:
            self._frames.load((*generated, *self._added))


class _Nowhere(KernelMemory):
    """Memory that nobody can find anything in yet."""

    def physical(self, address: int) -> NoReturn:
        """Raise TextpokeError."""
        raise TextpokeError(f"{self._symbols.describe(address)}: {_UNKNOWN}")
