"""The list of tasks of a kernel with poke.h: its array `tasks`, read member by member.

Which members there are, DWARF says. All tasks are read at once, as the list of a busy kernel is
asked for again and again.
"""

from dataclasses import dataclass

from emu.errors import BadImage, BadSymbol
from emu.guest.tasks import Task
from emu.image.objects import MAX_READ, Object, Reader
from emu.image.symbols import Symbols
from emu.image.types import ArrayType, EnumType, IntType, Member, PointerType, StructType, Types

MAX_TASKS = 1 << 16

_UNUSED = "unused"
_NUMBERS = ("cpu", "on_rq", "nvcsw", "nivcsw", "stack", "stack_end", "sp", "cr3")


@dataclass(frozen=True)
class TaskList:
    """The tasks of a kernel.

    Attributes:
        type: struct task, which has `comm` and `pid`.
        address: of the array, None if there is none.
        count: how many are in it.
        read: how memory is read.
    """

    type: StructType
    address: int | None
    count: int
    read: Reader

    @classmethod
    def find(cls, symbols: Symbols, types: Types, read: Reader) -> "TaskList | None":
        """Return the list of a kernel; None if it does not describe its tasks."""
        try:
            found = types.struct("task")
        except (BadSymbol, BadImage):
            return None
        if not {"comm", "pid"} <= set(found.names()):
            return None
        symbol = symbols.get("tasks")
        if symbol is None or not found.size:
            return cls(found, None, 0, read)
        count = min(_count(types, symbol.size, found), MAX_TASKS)
        return cls(found, symbol.address if count else None, count, read)

    def all(self) -> tuple[Task, ...]:
        """Return the tasks there are, in the order of the array. Raises TextpokeError."""
        if self.address is None:
            return ()
        size = self.type.size
        data = b"".join(
            self.read(self.address + at, min(MAX_READ, self.count * size - at))
            for at in range(0, self.count * size, MAX_READ)
        )
        found = (
            self._task(self.address + at, data[at : at + size])
            for at in range(0, len(data), size)
            if any(data[at : at + size])
        )
        return tuple(task for task in found if task.state != _UNUSED)

    def at(self, address: int) -> Task:
        """Return the task whose descriptor is at an address. Raises TextpokeError."""
        return self._task(address, self.read(address, self.type.size))

    def _task(self, address: int, data: bytes) -> Task:
        names = self.type.names()
        numbers = {name: self._number(name, data) for name in _NUMBERS if name in names}
        on_rq = numbers.pop("on_rq", None)
        comm = Object(self.type, address, self.read).get_("comm")
        return Task(
            pid=self._number("pid", data) or 0,
            comm=comm.string_() if isinstance(comm, Object) else str(comm),
            state=self._state(data) if "state" in names else None,
            on_rq=None if on_rq is None else bool(on_rq),
            address=address,
            **numbers,
        )

    def _number(self, name: str, data: bytes) -> int | None:
        """Return the member `name`; None if it is no number."""
        member = self.type.member(name)
        if not isinstance(member.type, IntType | EnumType | PointerType):
            return None
        return _value(member, data)

    def _state(self, data: bytes) -> str | None:
        """Return the name of the state, or its number if it has none."""
        value, kind = self._number("state", data), self.type.member("state").type
        name = kind.name_of(value) if isinstance(kind, EnumType) and value is not None else None
        if name is None:
            return None if value is None else str(value)
        return name.removeprefix("TASK_").lower()


def _count(types: Types, size: int, task: StructType) -> int:
    """Return how many tasks the array has: as its type says, or the size of its symbol."""
    try:
        kind = types.variable("tasks")
    except (BadSymbol, BadImage):
        return 0
    if not isinstance(kind, ArrayType) or kind.element != task:
        return 0
    return kind.count or size // task.size


def _value(member: Member, data: bytes) -> int:
    raw = int.from_bytes(data[member.offset : member.offset + member.size], "little")
    bits = 8 * member.size
    if member.bit_size is not None and member.bit_offset is not None:
        raw, bits = raw >> member.bit_offset & (1 << member.bit_size) - 1, member.bit_size
    signed = isinstance(member.type, IntType | EnumType) and member.type.signed
    return raw - (1 << bits) if signed and raw >> bits - 1 else raw
