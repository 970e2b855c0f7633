"""The list of tasks of a kernel with poke.h: its array `tasks`, read member by member.

Which members there are, DWARF says. All tasks are read at once, as the list of a busy kernel is
asked for again and again.
"""

from emu.errors import BadImage, BadSymbol
from emu.guest.tasks import Task
from emu.image.c_string import string_at
from emu.image.object import MAX_READ
from emu.image.objects import Reader
from emu.image.symbols import Symbols
from emu.image.types import (
    ArrayType,
    EnumType,
    IntType,
    Member,
    PointerType,
    StructType,
    Type,
    Types,
)
from emu.image.values import bits, number, text

MAX_TASKS = 1 << 16

_UNUSED = "unused"
_NUMBERS = ("cpu", "on_rq", "nvcsw", "nivcsw", "stack", "stack_end", "sp", "cr3")


class TaskList:
    """The tasks of a kernel.

    Args:
        type_: struct task, which has `comm` and `pid`.
        address: of the array, None if there is none.
        count: how many are in it.
        read: how memory is read.
    """

    def __init__(self, type_: StructType, address: int | None, count: int, read: Reader) -> None:
        self._type, self._address, self._count, self._read = type_, address, count, read
        names = set(type_.names())
        members = {name: type_.member(name) for name in _NUMBERS if name in names}
        self._members = {name: each for name, each in members.items() if _is_number(each)}
        self._pid, self._name = type_.member("pid"), type_.member("comm")
        self._state = type_.member("state") if "state" in names else None

    @classmethod
    def find(cls, symbols: Symbols, types: Types, read: Reader) -> "TaskList | None":
        """Return the list of a kernel; None if it does not describe its tasks."""
        try:
            found = types.struct("task")
        except (BadSymbol, BadImage):
            return None
        if not {"comm", "pid"} <= set(found.names()) or not _is_number(found.member("pid")):
            return None
        symbol = symbols.get("tasks")
        count = 0 if symbol is None else min(_count(types, symbol.size, found), MAX_TASKS)
        return cls(found, symbol.address if symbol and count else None, count, read)

    def all(self) -> tuple[Task, ...]:
        """Return the tasks there are, in the order of the array. Raises TextpokeError."""
        if self._address is None:
            return ()
        size = self._type.size
        data = b"".join(
            self._read(self._address + at, min(MAX_READ, self._count * size - at))
            for at in range(0, self._count * size, MAX_READ)
        )
        found = (
            self._task(self._address + at, data[at : at + size])
            for at in range(0, len(data), size)
            if any(data[at : at + size])
        )
        return tuple(task for task in found if task.state != _UNUSED)

    def at(self, address: int) -> Task:
        """Return the task whose descriptor is at an address. Raises TextpokeError."""
        return self._task(address, self._read(address, self._type.size))

    def state_name(self, state: int) -> str | None:
        """Return a state's name as in `Task.state`, None if it has none."""
        return None if self._state is None else _word(self._state.type, state)

    def _task(self, address: int, data: bytes) -> Task:
        numbers = {name: _value(member, data) for name, member in self._members.items()}
        on_rq = numbers.pop("on_rq", None)
        return Task(
            pid=_value(self._pid, data),
            comm=self._comm(data),
            state=None if self._state is None else _state(self._state, data),
            on_rq=None if on_rq is None else bool(on_rq),
            address=address,
            **numbers,
        )

    def _comm(self, data: bytes) -> str:
        """Return the name: an array of characters, or what a pointer points to; else ""."""
        member = self._name
        if not isinstance(member.type, ArrayType | PointerType):
            return ""
        if isinstance(member.type, ArrayType):
            return text(data[member.offset : member.offset + member.size])
        return string_at(self._read, _value(member, data))


def _state(member: Member, data: bytes) -> str | None:
    """Return the name of a state, or its number if it has none."""
    if not _is_number(member):
        return None
    value = _value(member, data)
    return _word(member.type, value) or str(value)


def _word(kind: Type, state: int) -> str | None:
    name = kind.name_of(state) if isinstance(kind, EnumType) else None
    return None if name is None else name.removeprefix("TASK_").lower()


def _count(types: Types, size: int, task: StructType) -> int:
    """Return how many tasks the array has: as its type says, or the size of its symbol."""
    try:
        kind = types.variable("tasks")
    except (BadSymbol, BadImage):
        return 0
    if not isinstance(kind, ArrayType) or kind.element.name != task.name or not task.size:
        return 0
    return kind.count or size // task.size


def _is_number(member: Member) -> bool:
    return isinstance(member.type, IntType | EnumType | PointerType)


def _value(member: Member, data: bytes) -> int:
    part, kind = data[member.offset : member.offset + member.size], member.type
    if member.bit_size is not None:
        return bits(member, part)
    assert isinstance(kind, IntType | EnumType | PointerType)
    return number(kind, part)
