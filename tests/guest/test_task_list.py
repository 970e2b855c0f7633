"""Lists of tasks of kernels that tell more or less of them."""

import struct

import pytest

from emu.guest.task_list import TaskList
from emu.guest.tasks import Task
from emu.image.objects import Reader as Memory
from emu.image.symbols import Symbol, Symbols
from emu.image.types import (
    ArrayType,
    EnumType,
    IntType,
    Member,
    PointerType,
    StructType,
    Type,
    Types,
    Variable,
    VoidType,
)

BASE = 0xFFFFFFFF80300000
INT, BYTE = IntType("int", 4, True), IntType("char", 1, True, True)
U64 = IntType("unsigned long", 8, False)
STATE = EnumType("enum state", 4, False, ((0, "TASK_UNUSED"), (1, "TASK_RUNNING"), (7, "STUCK")))
COMM = ArrayType("char [8]", 8, BYTE, 8)


class Reader:
    """Types that are made by hand."""

    def __init__(self, task: StructType, tasks: Type | None) -> None:
        self._types, self._tasks = {"struct task": task}, tasks

    def type_named(self, name: str) -> Type | None:
        return self._types.get(name)

    pointer_size = 8

    def variables(self, name: str) -> tuple[Variable, ...]:
        kind = self._tasks
        if kind is None or name != "tasks":
            return ()
        return (Variable(name, BASE, "task.c", "", True, lambda: kind),)

    def variable_at(self, address: int) -> None:  # noqa: ARG002 -- none has a place
        return None

    def function(self, name: str) -> None:  # noqa: ARG002 -- there are none
        return None

    def enumerator(self, name: str) -> None:  # noqa: ARG002 -- there are none
        return None

    def function_names(self) -> list[str]:
        return []

    def type_names(self) -> list[str]:
        return list(self._types)

    def variable_names(self) -> list[str]:
        return ["tasks"]


def task(*members: tuple[str, Type]) -> StructType:
    """Return a struct task of 64 bytes, its members one after the other."""
    found, at = [], 0
    for name, kind in members:
        found.append(Member(name, at, kind.size, kind))
        at += kind.size
    return StructType("struct task", 64, tuple(found))


def listed(
    kind: StructType, data: bytes, tasks: Type | None, *, size: int | None = None
) -> TaskList | None:
    symbols = Symbols([Symbol("tasks", BASE, len(data) if size is None else size, "object")])
    return TaskList.find(symbols, Types(Reader(kind, tasks)), reader(data))


def reader(data: bytes) -> Memory:
    def read(address: int, size: int) -> bytes:
        """Memory with zeros behind the data."""
        return data[address - BASE : address - BASE + size].ljust(size, b"\0")

    return read


NAMED = task(("pid", INT), ("comm", COMM))


def test_who_only_names_its_tasks_has_tasks_with_names() -> None:
    data = (
        struct.pack("<i8s", 3, b"one").ljust(64, b"\0")
        + bytes(64)
        + struct.pack("<i8s", -1, b"two\x80long")
    )
    found = listed(NAMED, data.ljust(192, b"\0"), ArrayType("struct task [3]", 192, NAMED, 3))
    assert found
    assert found.all() == (
        Task(3, "one", address=BASE),
        Task(-1, "two\\x80long", address=BASE + 128),
    )
    assert found.all()[0].bounds is None


def test_all_members_are_read() -> None:
    void = PointerType("void *", 8, lambda: VoidType("void", 0))
    kind = task(
        ("pid", INT), ("comm", COMM), ("state", STATE), ("on_rq", BYTE), ("cpu", BYTE),
        ("stack", void), ("stack_end", void), ("sp", U64), ("cr3", U64),
    )  # fmt: skip
    rows = [(1, b"a", 1, 1, 2), (2, b"b", 7, 0, 3), (3, b"c", 9, 0, -1), (4, b"gone", 0, 0, 0)]
    data = b"".join(
        struct.pack("<i8sibb4Q", *row, BASE, BASE + 4096, BASE + 8, 0x1000).ljust(64, b"\0")
        for row in rows
    )
    found = listed(kind, data, ArrayType("struct task []", 0, kind, 0))
    assert found
    told = [(t.pid, t.comm, t.state, t.on_rq, t.cpu) for t in found.all()]
    assert told == [
        (1, "a", "running", True, 2),
        (2, "b", "stuck", False, 3),
        (3, "c", "9", False, -1),
    ]
    one = found.at(BASE)
    assert (one.bounds, one.sp, one.cr3) == ((BASE, BASE + 4096), BASE + 8, 0x1000)
    assert (one.nvcsw, one.nivcsw, one.core) == (None, None, None)


def test_a_name_behind_a_pointer_and_a_flag_of_one_bit() -> None:
    text = PointerType("char *", 8, lambda: BYTE)
    flag = Member("on_rq", 12, 4, IntType("unsigned int", 4, False), 3, 1)
    kind = StructType(
        "struct task", 64, (Member("pid", 0, 4, INT), Member("comm", 4, 8, text), flag)
    )
    data = struct.pack("<iQI", 5, BASE + 32, 8).ljust(32, b"\0") + b"behind".ljust(96, b"\0")
    found = listed(kind, data, ArrayType("struct task [1]", 64, kind, 1))
    assert found
    assert found.all() == (Task(5, "behind", on_rq=True, address=BASE),)


@pytest.mark.parametrize("tasks", [None, INT, ArrayType("int [4]", 16, INT, 4)])
def test_a_list_that_is_none(tasks: Type | None) -> None:
    found = listed(NAMED, struct.pack("<i8s", 3, b"one").ljust(64, b"\0"), tasks)
    assert found
    assert found.all() == ()
    assert found.at(BASE) == Task(3, "one", address=BASE)


def test_without_names_there_are_no_tasks() -> None:
    assert listed(task(("pid", INT)), b"", None) is None
    assert listed(task(("pid", COMM), ("comm", COMM)), b"", None) is None


def test_a_count_from_a_file_is_bounded() -> None:
    found = listed(NAMED, bytes(64), ArrayType("struct task []", 0, NAMED, 0), size=1 << 40)
    assert found
    assert found.all() == ()
