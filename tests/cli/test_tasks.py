"""textpoke tasks and textpoke stack."""

import json
import re
from pathlib import Path

from tests.cli.conftest import Command
from tests.cli.test_run import kernel
from tests.image.elf_builder import Sym

HEAD = ["PID", "COMM", "STATE", "CPU", "CORE", "NVCSW", "NIVCSW", "WHERE"]


def test_a_table_of_tasks(textpoke: Command) -> None:
    said = textpoke("tasks", "toy", "--append", "load", "--seed", 3, "--cores", 2)
    head, *rows = said.out.decode().splitlines()
    assert said.status == 0
    assert head.split() == HEAD
    assert any(re.match(r" +0 swapper/1 +running +1", row) for row in rows)
    assert sum(bool(re.search(r" (preempted|gave up|blocked|\?) +\d", row)) for row in rows) >= 3
    assert said.err == "textpoke: moves are chosen at random from seed 3\n"


def test_the_same_for_scripts(textpoke: Command) -> None:
    words = ("toy", "--append", "load", "--steps", "3e5", "--json")
    document = json.loads(textpoke("tasks", *words).out)
    tasks = document["tasks"]
    assert {task["core"] for task in tasks} == {None, 0, 1, 2, 3}
    assert all((task["core"] is None) >= (task["lost_core"] is not None) for task in tasks)
    stacks = json.loads(textpoke("stack", *words).out)
    assert stacks["instructions"] == document["instructions"] > 300_000
    assert [{name: stack[name] for name in tasks[0]} for stack in stacks["stacks"]] == tasks
    for stack in stacks["stacks"]:
        assert stack["reliable"] == (stack["reason"] is None)
        for frame in stack["frames"]:
            assert set(frame) == {"pc", "is_return", "cfa", "kind", "function", "offset", "source"}
    running = [stack for stack in stacks["stacks"] if stack["core"] is not None]
    assert any(len(stack["frames"]) > 2 for stack in running)


def test_stacks_for_people(textpoke: Command) -> None:
    said = textpoke("stack", "toy", "--append", "load")
    parts = said.out.decode().split("\n\n")
    assert len(parts) >= 12
    for part in parts:
        head, *lines = part.splitlines()
        assert re.fullmatch(
            r"[\w/]+, \w+, (on core [0-3]|preempted|gave up|blocked|without a core)", head
        )
        frames = [line for line in lines if line.startswith("#")]
        for number, line in enumerate(frames):
            assert re.fullmatch(
                rf"#{number:<3}\S+(  \w+\.[cSh]:\d+)?(  <(interrupt|ring 3|trampoline)>)?", line
            ), line
        assert lines[len(frames) :] == [] or re.fullmatch(r"\(unreliable: .*\)", lines[-1])


def test_one_task_by_number_or_name(textpoke: Command) -> None:
    words = ("toy", "--until", "4 cpus")
    document = json.loads(textpoke("tasks", *words, "--json").out)
    init = next(task for task in document["tasks"] if task["comm"] == "init")
    for which in ("init", f"init/{init['pid']}", init["pid"]):
        said = textpoke("stack", "toy", which, *words[1:])
        assert said.out.startswith(f"init/{init['pid']}, ".encode())
        assert b"\n\n" not in said.out
    assert "no task 'inti': did you mean init?" in textpoke("stack", "toy", "inti").refusal()
    assert "textpoke tasks lists all" in textpoke("stack", "toy", "12345").refusal()


def test_before_all_cores_run_tasks_there_is_one(textpoke: Command) -> None:
    said = textpoke("stack", "toy", "--until", "toy kernel")
    assert said.status == 0
    assert said.out.startswith(b"swapper/0/0, running, on core 0\n#0  ")
    assert b"start_kernel" in said.out


def test_no_task_is_said_in_a_sentence(textpoke: Command, tmp_path: Path) -> None:
    spins = kernel(tmp_path, "eb fe")
    said = textpoke("tasks", spins, "--steps", "1e3")
    assert "does not describe its tasks" in said.refusal()
    assert "does not describe its tasks" in textpoke("stack", spins, "--steps", "1e3").refusal()


def test_without_debug_information_nothing_is_waited_for(textpoke: Command, tmp_path: Path) -> None:
    spins = kernel(tmp_path, "eb fe", symbols=(Sym("cpus_running", 0xFFFFFFFF80200000, 4),))
    assert "has no debug information: build with -g" in textpoke("tasks", spins).refusal()


def test_what_is_waited_for_may_not_come(textpoke: Command, tmp_path: Path) -> None:
    dies = textpoke("tasks", kernel(tmp_path, "0f 0b"), "--until", "never")
    assert "'never' was not seen" in dies.err
    assert dies.status == 2


def test_a_snapshot_has_tasks(textpoke: Command, tmp_path: Path) -> None:
    path = tmp_path / "machine"
    words = ("run", "toy", "--append", "load", "--steps", "3e6")
    assert textpoke(*words, "--snapshot", path).status == 6
    said = textpoke("tasks", "--from", path)
    assert said.status == 0
    assert b"load/0" in said.out
    assert "--cores was decided" in textpoke("tasks", "--from", path, "--cores", 2).refusal()
