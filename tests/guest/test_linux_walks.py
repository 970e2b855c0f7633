"""The lists of a Linux kernel, as they are and as garbage: a walk ends with what it has found."""

import random

import pytest

from emu.errors import BadImage, TextpokeError
from emu.guest.linux.ftrace import Ftrace, FtraceOps, FtraceRecord
from emu.guest.linux.kprobes import Kprobes
from emu.guest.linux.livepatch import Livepatches
from emu.guest.linux.modules import Modules
from emu.guest.linux.task_state import has_ended, state_name
from emu.guest.linux.tasks import LinuxTasks
from emu.image.objects import Objects
from tests.guest.linux_memory import (
    MEMBERS,
    MODULE,
    OPS,
    RECORDS,
    SIGNAL,
    TASK,
    TASK_SIZE,
    Kernel,
)

NEXT = MEMBERS["tasks"]


def kernel(**places: int) -> Kernel:
    return Kernel({"init_task": TASK, "init_stack": 0x8000_0000, **places})


def three_tasks() -> Kernel:
    """init_task, task 1 and task 2 in a circle; task 3 is a thread of task 1."""
    made = kernel()
    for number in range(4):
        made.task(number)
    for number in range(3):
        following = (number + 1) % 3
        made.memory.write(
            TASK + number * TASK_SIZE + NEXT, "Q", TASK + following * TASK_SIZE + NEXT
        )
    first, second = (TASK + number * TASK_SIZE + MEMBERS["thread_node"] for number in (1, 3))
    made.memory.write(first, "Q", second)
    made.memory.write(second, "Q", SIGNAL + 32 + 8)
    return made


def pids(made: Kernel) -> list[int]:
    return [task.pid for task in LinuxTasks(made, made.memory.read).all()]  # type: ignore[arg-type] # enough of an image


def test_every_thread_of_every_process_is_found() -> None:
    assert pids(three_tasks()) == [0, 1, 3, 2]


def test_what_a_task_has_is_told() -> None:
    made = kernel()
    at = made.task(7, __state=1, on_rq=1, stack=0x9000, nvcsw=12)
    listed = LinuxTasks(made, made.memory.read)  # type: ignore[arg-type] # as above
    task = listed.at(at)
    assert (task.pid, task.comm, task.state, task.on_rq) == (7, "task7", "sleeping", True)
    assert (task.nvcsw, task.nivcsw, task.stack, task.stack_end) == (12, 0, 0x9000, 0xD000)
    assert (task.cpu, task.sp, task.patch_state, task.cr3) == (None, None, None, None)


@pytest.mark.parametrize("where", [0, 1, 2])
@pytest.mark.parametrize("leads", [0, 0xDEAD_0000, TASK + TASK_SIZE + NEXT])
def test_a_list_of_tasks_that_is_broken_ends(where: int, leads: int) -> None:
    """With NULL, in what nobody mapped, or in a circle that leaves out its head."""
    made = three_tasks()
    made.memory.write(TASK + where * TASK_SIZE + NEXT, "Q", leads)
    found = pids(made)
    assert len(found) == len(set(found))
    assert set(found) <= {0, 1, 2, 3}
    assert found[:where] == [0, 1][:where]


@pytest.mark.parametrize("leads", [0, 0xDEAD_0000, TASK + TASK_SIZE + MEMBERS["thread_node"]])
def test_a_list_of_threads_that_is_broken_ends(leads: int) -> None:
    made = three_tasks()
    made.memory.write(TASK + 3 * TASK_SIZE + MEMBERS["thread_node"], "Q", leads)
    assert pids(made) == [0, 1, 3, 2]


def test_a_kernel_without_tasks_is_refused() -> None:
    made = Kernel({})
    with pytest.raises(BadImage, match=r"kernel: its tasks cannot be found: there is no init_task"):
        LinuxTasks(made, made.memory.read)  # type: ignore[arg-type] # as above


@pytest.mark.parametrize(
    ("state", "exit_state", "name"),
    [
        (0, 0, "running"), (1, 0, "sleeping"), (2, 0, "disk sleep"), (0x402, 0, "idle"),
        (0x400, 0, "1024"), (4, 0, "stopped"), (8, 0, "tracing stop"), (0x40, 0, "parked"),
        (0x80, 0, "dead"), (0x80, 0x20, "zombie"), (0, 0x10, "dead"), (0x200, 0, "waking"),
        (0x101, 0, "sleeping"),
    ],
)  # fmt: skip
def test_states_have_the_names_of_proc(state: int, exit_state: int, name: str) -> None:
    assert state_name(state, exit_state) == name
    assert has_ended(state) == bool(state & 0x80)


# --- ftrace ----------------------------------------------------------------------------------


def records(made: Kernel, page: int, *flags: int, following: int = 0) -> None:
    """Write a page of records."""
    at = RECORDS + page * 0x1000
    made.memory.write(at, "QQi", following, at + 0x100, len(flags))
    for number, flag in enumerate(flags):
        made.memory.write(at + 0x100 + number * 16, "QQ", page * 0x100 + number, flag)


def test_records_are_those_of_all_pages() -> None:
    made = Kernel({"ftrace_pages_start": RECORDS - 8})
    made.memory.write(RECORDS - 8, "Q", RECORDS)
    records(made, 0, 0, 1 << 31 | 2, following=RECORDS + 0x1000)
    records(made, 1, 1 << 31 | 1 << 28 | 1)
    found = Ftrace(made.objects)
    wanted = FtraceRecord(1, frozenset({"ENABLED"}), 2)
    tramp = FtraceRecord(0x100, frozenset({"ENABLED", "TRAMP"}), 1)
    assert found.records() == (FtraceRecord(0, frozenset(), 0), wanted, tramp)
    assert found.records(enabled=True) == (wanted, tramp)


@pytest.mark.parametrize("leads", [RECORDS, RECORDS + 0x1000, 0xDEAD_0000])
def test_a_list_of_pages_that_is_broken_ends(leads: int) -> None:
    made = Kernel({"ftrace_pages_start": RECORDS - 8})
    made.memory.write(RECORDS - 8, "Q", RECORDS)
    records(made, 0, 0, following=RECORDS + 0x1000)
    records(made, 1, 1, following=leads)
    assert [each.ip for each in Ftrace(made.objects).records()] == [0, 0x100]


@pytest.mark.parametrize("count", [-1, 1 << 30])
def test_a_page_that_lies_about_its_records_has_none(count: int) -> None:
    made = Kernel({"ftrace_pages_start": RECORDS - 8})
    made.memory.write(RECORDS - 8, "Q", RECORDS)
    records(made, 0, 0)
    made.memory.write(RECORDS + 16, "i", count)
    assert Ftrace(made.objects).records() == ()


@pytest.mark.parametrize("last", [OPS, OPS + 0x40, OPS + 0x800, 0, 0xDEAD_0000])
def test_ops_end_at_the_stub_and_where_the_list_is_broken(last: int) -> None:
    made = Kernel({"ftrace_ops_list": OPS - 8, "ftrace_list_end": OPS + 0x800})
    made.memory.write(OPS - 8, "Q", OPS)
    made.memory.write(OPS, "5Q", 0x1111, OPS + 0x40, 3, 0x7000, 0x100)
    made.memory.write(OPS + 0x40, "5Q", 0x2222, last, 1, 0, 0)
    assert Ftrace(made.objects).ops() == (
        FtraceOps(0x1111, (0x7000, 0x7100), frozenset({"ENABLED", "DYNAMIC"}), OPS),
        FtraceOps(0x2222, None, frozenset({"ENABLED"}), OPS + 0x40),
    )


# --- modules ---------------------------------------------------------------------------------


def module(made: Kernel, leads: int) -> None:
    """Write a module with the functions `first` and `second`, behind which the list goes on."""
    made.memory.write(MODULE, "QQ", MODULE + 0x108, 0)
    at = MODULE + 0x100
    made.memory.write(at, "i4xQQ", 0, leads, 0)
    made.memory.write(at + 24, "56s", b"lp")
    made.memory.write(at + 80, "QIi", 0x7000, 0, 0x200)
    made.memory.write(at + 96, "Q", MODULE + 0x200)
    made.memory.write(MODULE + 0x200, "QI4xQ", MODULE + 0x300, 3, MODULE + 0xFF8)
    made.memory.write(MODULE + 0x300, "24x")
    made.memory.write(MODULE + 0x318, "IBBHQQ", 1, 0x12, 0, 1, 0x7000, 0x10)
    made.memory.write(MODULE + 0x330, "IBBHQQ", 7, 2, 0, 1, 0x7010, 0x20)
    made.memory.write(MODULE + 0xFF8, "15s", b"\0first\0second\0")


@pytest.mark.parametrize("leads", [MODULE, MODULE + 0x108, 0, 0xDEAD_0008])
def test_modules_have_their_text_and_their_names(leads: int) -> None:
    made = Kernel({"modules": MODULE})
    module(made, leads)
    (found,) = Modules(made.objects).all()
    assert (found.name, found.state, found.text, found.init) == (
        "lp",
        "live",
        (0x7000, 0x7200),
        None,
    )
    assert [(each.name, each.address) for each in found.symbols] == [
        ("first", 0x7000), ("second", 0x7010),
    ]  # fmt: skip
    assert found.symbols.describe(0x7018) == "second+0x8"


def test_a_module_whose_names_cannot_be_read_has_none() -> None:
    made = Kernel({"modules": MODULE})
    module(made, MODULE)
    made.memory.write(MODULE + 0x200, "Q", 0xDEAD_0000)
    (found,) = Modules(made.objects).all()
    assert (found.name, len(found.symbols)) == ("lp", 0)


# --- garbage ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_garbage_has_an_end(seed: int) -> None:
    """Memory is random numbers, many of which lead into it again."""
    names = ("init_task", "ftrace_pages_start", "ftrace_ops_list", "modules", "klp_patches")
    made = Kernel({name: number * 0x1000 for number, name in enumerate(names)})
    chance = random.Random(seed)  # noqa: S311 -- a test
    for at in range(0, 8 * 0x1000, 8):
        made.memory.write(
            at, "Q", chance.choice((chance.randrange(1 << 64), chance.randrange(0x9000)))
        )
    objects: Objects = made.objects
    LinuxTasks(made, made.memory.read).all()  # type: ignore[arg-type] # as above
    ftrace = Ftrace(objects)
    ftrace.records()
    ftrace.ops()
    Modules(objects).all()
    assert Livepatches(objects).patches() == ()  # such a kernel has no types for them
    assert Livepatches(objects).transition() is None
    assert Kprobes(objects).all() == ()


def test_memory_that_is_not_there_is_an_error_of_the_reader() -> None:
    with pytest.raises(TextpokeError):
        kernel().memory.read(0x1234, 1)
