"""The tasks of the toy kernel, as its memory tells them."""

import pytest

from emu.guest.off_core import lost_core, place
from emu.guest.stack import Frame, Stack
from emu.guest.tasks import Task
from emu.lab import Lab, boot
from tests.labs import loaded


@pytest.fixture(scope="module")
def lab() -> Lab:
    return loaded(cores=4)


def test_each_core_has_one_task_and_each_task_at_most_one_core(lab: Lab) -> None:
    tasks = lab.guest.tasks()
    cores = [task.core for task in tasks if task.core is not None]
    assert sorted(cores) == [0, 1, 2, 3]
    assert all(task.core in (None, task.cpu) for task in tasks)
    assert len({task.address for task in tasks}) == len(tasks)


def test_the_task_with_a_core_is_current_there(lab: Lab) -> None:
    by_core = {task.core: task for task in lab.guest.tasks()}
    assert [lab.guest.current(core) for core in range(4)] == [by_core[core] for core in range(4)]


def test_the_members_are_what_the_kernel_says(lab: Lab) -> None:
    for task in lab.guest.tasks():
        there = lab.guest.objects.at("struct task", task.address)
        assert (task.pid, task.cpu, task.on_rq) == (there.pid, there.cpu, bool(there.on_rq))
        assert (task.nvcsw, task.nivcsw, task.sp) == (there.nvcsw, there.nivcsw, there.sp)
        assert task.comm == there.comm.string_()  # type: ignore[union-attr] # an array
        assert task.state in ("running", "sleeping", "dead", "zombie")


def test_unused_descriptors_are_no_tasks(lab: Lab) -> None:
    assert len(lab.guest.tasks()) < len(lab.guest.objects["tasks"])  # type: ignore[arg-type]


def test_before_paging_there_are_none() -> None:
    assert boot("toy", cores=2).guest.tasks() == ()


# --- how a task lost its core ------------------------------------------------------------------


def frames(*named: str) -> tuple[Frame, ...]:
    """Return frames of `function:file`, `!` before an interrupt's, `~` before ring 3's."""
    made = []
    for text in named:
        function, _, source = text.lstrip("!~").partition(":")
        kind = {"!": "interrupt", "~": "user"}.get(text[0], "function")
        made.append(Frame(1, True, 2, kind, function, 0, f"{source}:1"))  # type: ignore[arg-type]
    return tuple(made)


SLEEPS = ("switch_to:a.S", "pick:sched.c", "schedule:sched.c", "wait:wait.c", "pipe_read:pipe.c")
TICKED = ("switch_to:a.S", "pick:sched.c", "tick:irq.c", "!asm_tick:a.S", "work:b.c")
CHECKED = (
    "switch_to:a.S",
    "pick:sched.c",
    "preempt_schedule:sched.c",
    "spin_unlock:b.c",
    "!syscall:a.S",
)
IN_A_CALL = (
    "switch_to:a.S",
    "pick:sched.c",
    "yield:sched.c",
    "do:c.c",
    "!syscall:a.S",
    "~main:u.c",
)


@pytest.mark.parametrize(
    ("task", "names", "why", "where"),
    [
        (Task(1, "a", "sleeping", on_rq=False), SLEEPS, "blocked", "wait"),
        (Task(1, "a", on_rq=False), TICKED, "blocked", "work"),
        (Task(1, "a", "running", on_rq=True), SLEEPS, "gave up", "wait"),
        (Task(1, "a", "running", on_rq=True), TICKED, "preempted", "work"),
        (Task(1, "a", "running", on_rq=True), CHECKED, "preempted", "spin_unlock"),
        (Task(1, "a", "running", on_rq=True), IN_A_CALL, "gave up", "do"),
        (Task(0, "idle", "running", on_rq=False), TICKED, "preempted", "work"),
        (Task(1, "a", "dead", on_rq=False), SLEEPS, "ended", "wait"),
        (Task(1, "a"), SLEEPS, "gave up", "wait"),
        (Task(1, "a", core=0), SLEEPS, None, "switch_to"),
        (Task(1, "a"), SLEEPS[:1], "gave up", "switch_to"),
    ],
)
def test_how_it_lost_the_core(
    task: Task, names: tuple[str, ...], why: str | None, where: str
) -> None:
    stack = Stack(frames(*names))
    assert lost_core(task, stack) == why
    frame = place(task, stack)
    assert frame
    assert frame.function == where


def test_a_stack_that_is_not_reliable_does_not_tell_that_nothing_was_on_it() -> None:
    task = Task(1, "a", "running", on_rq=True)
    assert lost_core(task, Stack(frames(*SLEEPS), "why")) is None
    assert lost_core(task, Stack(frames(*TICKED), "why")) == "preempted"
    assert place(task, Stack((), "why")) is None
