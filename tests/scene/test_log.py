"""The log in words, and by another thread."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from emu.detect.watch import CALL, NEW
from emu.guest.probes import SWITCH
from emu.lab import Lab, boot
from emu.machine import events
from emu.moves.fault import DropIpi
from emu.scene.chronicle import Chronicle
from emu.scene.log import KINDS, Log, LogLine
from tests.labs import FUNCTION, REPLACEMENT


@pytest.fixture(scope="module")
def patched() -> tuple[Lab, Log]:
    lab = boot("toy", cores=4, append="load", seed=1, quantum=40)
    chronicle = Chronicle(lab.guest)
    lab.run_until_tasks()
    redirect = lab.arena.redirect(FUNCTION, REPLACEMENT[FUNCTION])
    lab.patch_in([redirect])
    lab.machine.interrupt(0xFB, 0b110)
    lab.machine.make(DropIpi(1, 0xFB))
    lab.run(instructions=5_000)
    assert lab.detectors
    chronicle.take(lab.detectors.watched)
    return lab, chronicle.log(lab.detectors.watched, lab.placed)


def lines(log: Log, kind: int) -> list[LogLine]:
    found = (log.line(index) for index in range(log.rows))
    return [line for line in found if line.kind == KINDS[kind]]


def test_each_event_is_a_line(patched: tuple[Lab, Log]) -> None:
    lab, log = patched
    assert log.rows == len(lab.machine.events)
    for index in range(log.rows):
        event, line = lab.machine.events[index], log.line(index)
        assert log.event(index) == event
        assert (line.time, line.core) == (event.time, event.core)
        assert line.kind == KINDS[event.kind]
        assert line.text
        assert "\n" not in line.text


def test_places_have_names(patched: tuple[Lab, Log]) -> None:
    _, log = patched
    stores = [line.text for line in lines(log, events.TEXT_STORE) if line.core < 0]
    assert f"{FUNCTION}: 0f becomes cc" in stores
    assert any(text.startswith(f"{FUNCTION}+0x1: 1f 44 00 00 becomes ") for text in stores)
    traps = [line.text for line in lines(log, events.TRAP)]
    assert f"breakpoint (#BP) at {FUNCTION}" in traps
    arrivals = {line.text for line in lines(log, NEW)}
    assert arrivals == {f"{FUNCTION}: at livepatch: {FUNCTION}"}


def test_what_is_sent_and_lost_is_told(patched: tuple[Lab, Log]) -> None:
    _, log = patched
    sent = [(line.core, line.text) for line in lines(log, events.IPI)]
    assert (-1, "interrupt 0xfb to cores 0, 1, 2, 3") in sent
    assert (-1, "interrupt 0xfb to cores 1, 2") in sent
    assert (0, "INIT to core 1") in sent
    assert [line.text for line in lines(log, events.FAULT)] == ["interrupt 0xfb is lost"]
    assert lines(log, events.PHASE)[0].text == "arm, request 1"


def test_switches_name_the_task_that_comes(patched: tuple[Lab, Log]) -> None:
    _, log = patched
    texts = [line.text for line in lines(log, SWITCH)]
    assert any(text.startswith("to load/0/6; the core was taken") for text in texts)
    assert any(text.endswith("the task before waits or has ended") for text in texts)


def test_calls_show_the_bytes_that_were_executed(patched: tuple[Lab, Log]) -> None:
    _, log = patched
    texts = {line.text for line in lines(log, CALL)}
    assert f"{FUNCTION}: 0f 1f 44 00 00 executed" in texts
    assert any(text.startswith(f"{FUNCTION}: cc ") for text in texts)


def test_another_thread_reads_while_the_machine_runs_on() -> None:
    lab = boot("toy", cores=2, append="load", seed=1)
    chronicle = Chronicle(lab.guest)
    lab.run(instructions=5_000_000)
    chronicle.take()
    log = chronicle.log()
    before = [log.line(index) for index in range(log.rows)]

    def again() -> bool:
        return all([log.line(index) for index in range(log.rows)] == before for _ in range(20))

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(again)
        while not reading.done() or chronicle.log().rows == log.rows:
            lab.run(instructions=20_000)
            chronicle.take()
        assert reading.result()
