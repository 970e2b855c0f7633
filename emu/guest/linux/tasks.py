"""The tasks of a Linux kernel: every thread of every process, and the idle task of each core.

Processes are in the circle `init_task.tasks`, the threads of one in `signal->thread_head`. Both
are walked as they are, also while a core changes them: a walk that meets what cannot be read, or
comes back to where it was, ends with what it has found. Sources: include/linux/sched.h,
include/linux/sched/signal.h (for_each_process_thread).
"""

from collections.abc import Iterator
from typing import Final

from emu.errors import BadImage, BadSymbol, TextpokeError
from emu.guest.linux.structure import Structure, Values
from emu.guest.linux.task_state import state_name
from emu.guest.tasks import Task
from emu.image.linux_image import LinuxImage
from emu.image.objects import Reader

MAX_TASKS: Final = 1 << 16

_TASK: Final = {
    "state": ("__state", "state"),  # 5.14 renamed it
    "exit_state": ("exit_state",),
    "pid": ("pid",),
    "comm": ("comm",),
    "cpu": ("thread_info.cpu", "cpu"),  # 5.16 moved it
    "on_rq": ("on_rq",),
    "nvcsw": ("nvcsw",),
    "nivcsw": ("nivcsw",),
    "stack": ("stack",),
    "sp": ("thread.sp",),
    "patch_state": ("patch_state",),
    "tasks": ("tasks",),
    "signal": ("signal",),
    "thread_node": ("thread_node",),
}
_NEEDED: Final = ("pid", "comm", "tasks")
_STACKS: Final = ("init_stack", "init_thread_union")
_POINTER: Final = 8


class LinuxTasks:
    """The tasks of a kernel.

    Args:
        image: where the kernel runs.
        read: its memory.

    Raises:
        BadImage: the kernel has no types, or lacks what tasks are found by.
    """

    def __init__(self, image: LinuxImage, read: Reader) -> None:
        self._read = read
        types, symbols = image.types, image.symbols
        first = symbols.get("init_task")
        try:
            self._task = Structure(types, "task_struct", _TASK)
            self._signal = Structure(types, "signal_struct", {"threads": ("thread_head",)})
        except BadSymbol as error:
            raise BadImage(f"{image.name}: its tasks cannot be found: {error}") from None
        missing = [name for name in _NEEDED if name not in self._task]
        if first is None or missing:
            raise BadImage(
                f"{image.name}: its tasks cannot be found: there is no "
                f"{'init_task' if first is None else 'task_struct.' + missing[0]}"
            )
        self._first = first.address
        stack = next((symbols[name] for name in _STACKS if name in symbols), None)
        self.stack_size = 0 if stack is None else 1 << (stack.size - 1).bit_length()

    def all(self) -> tuple[Task, ...]:
        """Return all tasks that are in the lists, init_task first; none before there are any."""
        found: dict[int, Task] = {}
        for leader, values in self._circle(self._first, "tasks"):
            found[leader] = self._made(leader, values)
            for thread, its in self._threads(values):
                found.setdefault(thread, self._made(thread, its))
            if len(found) >= MAX_TASKS:
                break
        return tuple(found.values())

    def at(self, address: int) -> Task:
        """Return the task whose descriptor is at an address. Raises TextpokeError."""
        return self._made(address, self._task.read(self._read, address))

    def _threads(self, leader: Values) -> Iterator[tuple[int, Values]]:
        """Yield the threads of a process, the leader too."""
        signal, node = leader.number("signal"), self._task.offset("thread_node")
        head = self._signal.offset("threads")
        if not signal or node is None or head is None:
            return
        at, seen = self._pointer(signal + head), set[int]()
        while at is not None and at != signal + head and at not in seen:
            seen.add(at)
            values = self._values(at - node)
            if values is None or len(seen) > MAX_TASKS:
                return
            yield at - node, values
            at = values.number("thread_node")

    def _circle(self, first: int, name: str) -> Iterator[tuple[int, Values]]:
        """Yield each task of a circle of list_heads, beginning with `first`."""
        offset = self._task.offset(name)
        assert offset is not None
        address, seen = first, set[int]()
        while address not in seen and len(seen) < MAX_TASKS:
            seen.add(address)
            values = self._values(address)
            if values is None:
                return
            following = values.number(name)
            if not following:
                return  # nobody has set the list up yet
            yield address, values
            address = following - offset

    def _values(self, address: int) -> Values | None:
        try:
            return self._task.read(self._read, address)
        except TextpokeError:
            return None

    def _pointer(self, address: int) -> int | None:
        try:
            return int.from_bytes(self._read(address, _POINTER), "little")
        except TextpokeError:
            return None

    def _made(self, address: int, values: Values) -> Task:
        stack, on_rq = values.number("stack"), values.number("on_rq")
        end = stack + self.stack_size if stack and self.stack_size else None
        state = values.number("state")
        return Task(
            pid=values.number("pid") or 0,
            comm=values.text("comm"),
            state=None if state is None else state_name(state, values.number("exit_state") or 0),
            cpu=values.number("cpu"),
            on_rq=None if on_rq is None else bool(on_rq),
            nvcsw=values.number("nvcsw"),
            nivcsw=values.number("nivcsw"),
            stack=stack,
            stack_end=end,
            sp=values.number("sp"),
            address=address,
            patch_state=values.number("patch_state"),
        )
