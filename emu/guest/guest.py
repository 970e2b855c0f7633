"""What the rest of textpoke may ask about a kernel, whatever kernel it is."""

from typing import Protocol

from emu.guest.code import CodeRegion
from emu.guest.stack import Stack
from emu.guest.tasks import Task
from emu.image.elf import ElfImage
from emu.image.objects import Objects
from emu.machine.machine import Machine
from emu.machine.probes import Probe


class Transition(Protocol):
    """A live patch that some tasks have gone over to, and others not."""

    @property
    def target(self) -> int:
        """The `Task.patch_state` of those that have: 1 where they go to the patched functions."""


class Guest(Protocol):
    """A kernel that runs on a machine. Addresses are virtual, as the kernel maps its text."""

    @property
    def machine(self) -> Machine:
        """The machine it runs on."""

    @property
    def image(self) -> ElfImage:
        """Its image: symbols, types, sites."""

    @property
    def objects(self) -> Objects:
        """Its objects: variables with their types, read from memory."""

    def require_contract(self) -> None:
        """Raise BadImage if the kernel lacks something that our patcher needs."""

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of its memory; TextpokeError where nothing is mapped."""

    def physical(self, address: int) -> int:
        """Return the physical address; TextpokeError where nothing is mapped."""

    def describe(self, address: int) -> str:
        """Return `vfs_read+0x5` for an address, also of code that is in no image now; else hex."""

    def current(self, core: int) -> Task | None:
        """Return the task a core runs, None if the kernel does not say."""

    def task_at(self, address: int) -> Task | None:
        """Return the task whose descriptor is at an address, also one that has ended.

        None if no task can be read there.
        """

    def has_ended(self, state: int) -> bool:
        """Return whether a task that a core has left in this state (of SWITCH) never runs again."""

    def tasks(self) -> tuple[Task, ...]:
        """Return all tasks; none before there are any, or if the kernel does not say."""

    def transition(self) -> Transition | None:
        """Return the transition of a live patch that is under way, or None."""

    def stack(self, task: Task) -> Stack:
        """Return the stack of a task, which `tasks` has returned since the last move."""

    def add_code(self, region: CodeRegion) -> None:
        """Take note of code that is in no image, so that stacks are walked through it."""

    def regions(self) -> tuple[CodeRegion, ...]:
        """Return the code that is in no image now, by ascending address.

        That is what was added, and what the kernel has loaded or generated itself.
        """

    def on(self, machine: Machine) -> "Guest":
        """Return the same kernel, code that is added later included, as another machine has it."""

    def probes(self) -> tuple[Probe, ...]:
        """Return the probes by which the kernel's events come about; kinds are in `probes`.

        There may be none before it is known where the kernel is: ask again while there are none.
        """

    @property
    def sync_vector(self) -> int | None:
        """The vector of the interrupt that asks a core to serialise, None if it has none yet."""

    def online(self) -> int:
        """Return the cores that the kernel uses, as a bit mask."""

    def all_run_tasks(self) -> bool:
        """Return whether every core has reached its first task: patching may begin."""
