"""What a guest lets the machine note: switches, from the start on, beside what detectors watch."""

from emu.detect.watch import CALL
from emu.guest.probes import SWITCH
from emu.guest.toy import ToyGuest
from emu.image.nameless import NamelessImage
from emu.lab import Lab, boot
from emu.machine.state import E_CORE, E_KIND, E_TASK
from emu.machine.word import signed
from tests.labs import FUNCTION, loaded, redirected


def switches(lab: Lab, since: int = 0) -> list[tuple[int, int]]:
    """Return the core of each switch, and the descriptor of the task that it leads to."""
    rows = lab.machine.events.since(since)
    rows = rows[rows[:, E_KIND] == SWITCH]
    return [(int(row[E_CORE]), int(row[E_TASK])) for row in rows]


def test_the_first_switch_of_a_core_is_told() -> None:
    """The probe is there before paging is, which takes the place from the image."""
    lab = boot("toy", cores=4, append="load", seed=1)
    (probe,) = lab.guest.probes()
    assert switches(lab) == []
    assert lab.guest.sync_vector is None
    lab.run_until_tasks()
    assert probe.address == lab.guest.physical(lab.image.symbols["trace_sched_switch"].address)
    last = dict(switches(lab))
    assert {core: signed(lab.guest.current(core).address) for core in last} == last  # type: ignore[union-attr] # there is one
    assert lab.guest.sync_vector == int(lab.guest.objects["sync_core_vector"])


def test_detectors_leave_the_guests_probes_where_they_are() -> None:
    """Catches detectors that replace all probes."""
    lab = loaded()
    redirected(lab, FUNCTION)
    begin = len(lab.machine.events)
    lab.run(instructions=1_000_000)
    assert len(switches(lab, begin)) > 10
    assert CALL in lab.machine.events.since(begin)[:, E_KIND]


def test_probes_have_no_effect() -> None:
    with_probes, without = (boot("toy", cores=2, append="load", seed=3) for _ in range(2))
    without.machine.set_probes(())
    for lab in (with_probes, without):
        lab.run(instructions=3_000_000)
    assert switches(with_probes)
    assert not switches(without)
    assert with_probes.hash() == without.hash()


def test_a_kernel_that_does_not_tell_has_none() -> None:
    machine = boot("toy", cores=1).machine
    guest = ToyGuest(machine, NamelessImage("other.elf", ""))
    assert guest.probes() == ()
    assert guest.sync_vector is None


def test_a_task_is_found_by_its_descriptor_and_known_to_have_ended() -> None:
    lab = loaded()
    for task in lab.guest.tasks():
        there = lab.guest.task_at(task.address)
        assert there is not None
        assert (there.pid, there.comm) == (task.pid, task.comm)
        assert there.ended == (task.state in ("dead", "zombie"))
    states = lab.guest.objects
    assert lab.guest.has_ended(int(states["TASK_DEAD"]))
    assert not lab.guest.has_ended(int(states["TASK_SLEEPING"]))
    assert not lab.guest.has_ended(0)  # of a switch: it could go on
    assert lab.guest.task_at(0x10) is None
