"""Scenes of a stock kernel that patches itself, held against its memory and its events."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emu.guest import probes
from emu.lab.linux import Linux
from emu.lab.linux_scenario import AND, LinuxScenario
from emu.lab.player import Player
from emu.machine import events
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_TASK, E_TIME
from emu.moves.plan import PHASES
from emu.scene.log import Log
from emu.scene.narrator import LISTING, PATH, TASKS
from emu.scene.scene import Scene

pytestmark = pytest.mark.slow

FUNCTION = "cmdline_proc_show"
SCRIPT = f"""\
cd /sys/kernel/tracing
echo {FUNCTION} > set_ftrace_filter
echo function > current_tracer
cat /proc/cmdline
echo 1 > options/func_stack_trace
echo 0 > options/func_stack_trace
echo nop > current_tracer
"""
PARTS = frozenset({TASKS, LISTING, PATH})
MOST_STOPS = len(PHASES) + 3
"""A sync is stopped at twice, where the core waits and where the others have answered; or once, if
they answer in the same turn."""


@pytest.fixture(scope="module")
def played(linux_file: Path, linux_prompt: Path) -> Player:
    """A player whose run has traced one function, and given it up."""
    linux = Linux(linux_file, SCRIPT.encode())
    player = Player.live(LinuxScenario(linux, str(linux_prompt), seed=3))
    for _ in range(60):
        player.play(5_000_000)
        if player.lab.machine.output.count(b"init# ") == SCRIPT.count("\n"):
            break
    assert player.failures == []
    return player


@pytest.fixture(scope="module")
def stops(played: Player) -> list[tuple[int, Scene]]:
    """The time and scene of each stop of the batch that makes the function call its tracer."""
    site = _site(played)
    played.moment = played.timeline.at(played.start)
    while True:
        played.next_phase()
        sites = [each.address for each in played.scene().sites]
        if site in sites:
            break
    return list(_batch(played, site))


def _site(player: Player) -> int:
    """Return the site of the function: its first instruction, or that behind its endbr64."""
    return player.lab.guest.image.sites.of(FUNCTION)


def _name(player: Player) -> str:
    return player.lab.guest.image.symbols.describe(_site(player))


def _batch(player: Player, site: int) -> Iterator[tuple[int, Scene]]:
    for _ in range(MOST_STOPS):
        scene = player.scene(PARTS, site)
        yield player.moment.time, scene
        if scene.phase == "done":
            return
        player.next_phase()


def test_each_phase_is_a_stop(stops: list[tuple[int, Scene]]) -> None:
    stopped = [scene.phase for _, scene in stops]
    assert [phase for phase, _ in itertools.groupby(stopped)] == list(PHASES)
    assert {phase for phase in PHASES if stopped.count(phase) > 1} <= {"sync1", "sync2", "sync3"}
    for _, scene in stops:
        phases = [each.phase for each in scene.chapters]
        assert phases == list(PHASES)
        at = phases.index(scene.phase)
        now = ["done"] if scene.phase == "done" else ["now"]
        told = ["done"] * at + now + ["to come"] * (len(PHASES) - at - 1)
        assert [each.status for each in scene.chapters] == told


def test_the_site_is_what_memory_and_the_stores_say(
    played: Player, stops: list[tuple[int, Scene]]
) -> None:
    guest, rows = played.lab.guest, played.lab.machine.events.since(0)
    site = _site(played)
    physical = guest.physical(site)
    stores = rows[(rows[:, E_KIND] == events.TEXT_STORE)]
    begin, end = stops[0][0], stops[-1][0]
    for time, scene in stops:
        (shown,) = (each for each in scene.sites if each.address == site)
        memory = {}  # of each byte: what the first store replaced, else the last stored
        for at in range(5):
            back = physical + at - stores[:, E_ADDRESS]
            here = (back >= 0) & (back < stores[:, E_TASK]) & (stores[:, E_TIME] >= begin)
            mine, shift = stores[here & (stores[:, E_TIME] < end)], 8 * back[here]
            values = [
                [int(row[column]) >> int(by) & 0xFF for row, by in zip(mine, shift, strict=False)]
                for column in (E_A, E_B)
            ]
            done = int((mine[:, E_TIME] < time).sum())
            old = values[0][0] if len(mine) else shown.old[at]
            new = values[1][-1] if len(mine) else shown.new[at]
            memory[at] = values[1][done - 1] if done else old
            assert (shown.old[at], shown.new[at]) == (old, new)
        assert bytes(each.value for each in shown.memory) == bytes(memory.values())
        assert shown.function == _name(played)
    assert shown.old == bytes.fromhex("0f 1f 44 00 00")
    assert shown.new[0] == 0xE8
    assert shown.new_text.startswith("call ")


def test_who_is_waited_for_has_not_serialised(
    played: Player, stops: list[tuple[int, Scene]]
) -> None:
    rows = played.lab.machine.events.since(0)
    waits = 0
    for time, scene in stops:
        if not scene.phase.startswith("sync"):
            continue
        mine = rows[(rows[:, E_KIND] == events.PHASE) & (rows[:, E_TIME] < time)][-1]
        synced = rows[(rows[:, E_KIND] == probes.SYNC) & (rows[:, E_TIME] < time)]
        synced = synced[synced[:, E_TIME] >= mine[E_TIME]]
        missing = {0, 1} - set(np.unique(synced[:, E_CORE]).tolist()) - {int(mine[E_CORE])}
        if missing:
            waits += 1
            (core,) = missing
            text = f"Core {mine[E_CORE]} waits until core {core} says that it has fetched anew."
            assert scene.sentence == text
        else:
            assert "waits" not in scene.sentence
    assert 0 < waits <= 3


def test_the_bytes_that_a_phase_has_changed_are_counted(stops: list[tuple[int, Scene]]) -> None:
    changed = {"int3": "1 byte changed", "tail": "4 bytes changed", "head": "1 byte changed"}
    for _, scene in stops:
        if scene.phase in changed:
            assert changed[scene.phase] in scene.sentence


def test_the_parts_know_the_kernel(played: Player, stops: list[tuple[int, Scene]]) -> None:
    scene = stops[1][1]
    assert scene.tasks is not None
    assert {"swapper/0", "swapper/1", "init"} <= {task.comm for task in scene.tasks}
    running = {task.core for task in scene.tasks if task.status == "running"}
    assert running == {0, 1}
    switching = ("__schedule", "__switch_to_asm")
    assert not any(task.place.startswith(switching) for task in scene.tasks)
    assert any(task.last is not None for task in scene.tasks)
    assert scene.listing is not None
    assert scene.listing.title == FUNCTION
    (row,) = (each for each in scene.listing.rows if each.address == _site(played))
    assert (row.text, row.site) == ("int3", True)
    assert scene.path is not None
    assert scene.path.function == _name(played)
    assert [node.role for node in scene.path.nodes][:3] == ["caller", "function", "int3"]
    edges = {(edge.source, edge.target): edge for edge in scene.path.edges}
    assert edges["function", "int3"].open != "no"


def test_the_past_has_the_scenes_it_had(played: Player, stops: list[tuple[int, Scene]]) -> None:
    site = _site(played)
    for time, scene in (stops[4], stops[1]):
        played.go(time)
        again = played.scene(PARTS, site)
        assert (again.time, again.sentence, again.sites) == (time, scene.sentence, scene.sites)
        assert (again.cores, again.chapters, again.path) == (
            scene.cores, scene.chapters, scene.path,
        )  # fmt: skip


def test_events_and_lanes(played: Player) -> None:
    log, lanes = played.log(), played.lanes()
    lines = [log.line(index) for index in range(log.rows)]
    assert not any(line.kind.startswith("event") for line in lines)
    texts = {line.text for line in lines}
    assert "arm: 1 site" in texts
    assert any(text.startswith(f"{_name(played)}: 0f becomes cc") for text in texts)
    assert "the core serialises, as text has been changed" in texts
    assert any(text.startswith("to init/1;") for text in texts)
    trampoline = "trampoline of function_trace_call+0x"  # whose call goes elsewhere
    assert any(text.startswith(trampoline) and text.endswith(": e8 becomes cc") for text in texts)
    assert not any(text.startswith("physical") for text in texts)
    rows = played.lab.machine.events.since(0)
    assert len(lanes.bands) == int((rows[:, E_KIND] == events.PHASE).sum())
    arms = rows[(rows[:, E_KIND] == events.PHASE) & (rows[:, E_A] == 0)]
    assert [band.begin for band in lanes.bands if band.phase == "arm"] == arms[:, E_TIME].tolist()
    assert (arms[:, E_TASK] >= 1).all()
    assert len(lanes.stores) == int((rows[:, E_KIND] == events.TEXT_STORE).sum())
    assert "init/1" in lanes.names


CALLED = f"""\
cd /sys/kernel/tracing
echo {FUNCTION} > set_ftrace_filter
spawn reader
cpu 1
repeat
read /proc/cmdline
end
end
cpu 0
repeat 10
echo function > current_tracer
echo nop > current_tracer
end
"""


def test_a_lost_sync_is_shown(
    linux_file: Path, linux_prompt: Path, played: Player, stops: list[tuple[int, Scene]]
) -> None:
    """Core 0 waits behind the tail until core 1, which has lost its sync, executes the site."""
    name, begin = _name(played), played.lab.guest.image.symbols[FUNCTION].address
    (site,) = (each for each in stops[0][1].sites if each.function == name)
    tail = f"{FUNCTION}+{site.address + 1 - begin}"
    hold = f"core 0 while *{tail} == {site.new[1]:#x} until core 1 executes {name}"
    lost = AND.join(f"lose every sync {sync} on core 1" for sync in (1, 2))
    linux = Linux(linux_file, CALLED.encode())
    player = Player.live(LinuxScenario(linux, str(linux_prompt), lost, (hold,)))
    player.next_failure()
    scene = player.scene(PARTS)
    assert scene.failure is not None
    assert scene.failure.core == 1
    assert scene.failure.function == name
    code = scene.failure.code
    assert code not in (site.old, site.new)
    assert all(byte in pair for byte, *pair in zip(code, site.old, site.new, strict=False))
    assert scene.sentence.startswith(f"Core 1 executed {code.hex(' ')} at {name}, which nobody")


def test_an_int3_that_was_taken_is_told_with_its_site(linux_file: Path, linux_prompt: Path) -> None:
    linux = Linux(linux_file, CALLED.encode())
    player = Player.live(LinuxScenario(linux, str(linux_prompt)))
    bound = player.moment.time + 500_000_000
    while not (taken := _taken(player.log())):
        assert player.moment.time < bound
        player.play(5_000_000)
    for at, line in taken:
        assert line == f"{at}: taken by the handler of code that is being changed"


def _taken(log: Log) -> list[tuple[str, str]]:
    """Return the lines of int3s that were taken, each with the place of the core's last trap."""
    found, places, trap = [], dict[int, str](), "breakpoint (#BP) at "
    for line in map(log.line, range(log.rows)):
        if line.text.startswith(trap):
            places[line.core] = line.text.removeprefix(trap)
        elif line.kind == "int3" and ": taken" in line.text:
            found.append((places[line.core], line.text))
    return found
