"""A guest's memory by virtual address, and that a lab is gone when nobody holds it."""

import gc
import weakref

import pytest

from emu.errors import TextpokeError
from emu.guest.virtual import VirtualMemory
from emu.lab import Lab, boot


@pytest.fixture(scope="module")
def lab() -> Lab:
    """The toy kernel, running tasks."""
    started = boot("toy", append="load")
    started.run_until_tasks()
    return started


def test_reads_cross_pages(lab: Lab) -> None:
    """Text is mapped one to one, so a read over a page border equals the file's bytes."""
    border = (lab.image.symbols["_stext"].address | 0xFFF) + 1
    assert lab.guest.read(border - 3, 7) == lab.image.read_virtual(border - 3, 7)


def test_what_is_not_mapped_is_an_error(lab: Lab) -> None:
    """One line that names the address."""
    with pytest.raises(TextpokeError, match="not mapped"):
        lab.guest.read(0x1234_5678, 1)


def test_page_tables_of_a_task_that_has_no_core(lab: Lab) -> None:
    """A process's text is at its own address in its own page tables, and in no others."""
    lab.run(instructions=300_000)
    process = next(task for task in lab.guest.tasks() if task.cr3 and task.core is None)
    symbols, begin = lab.image.symbols, lab.image.symbols["user_start"].address
    memory = VirtualMemory(lab.machine, symbols, cr3=process.cr3)
    assert memory.read(begin, 16) == lab.image.read_virtual(begin, 16)
    kernel = lab.image.symbols["_stext"].address
    assert memory.physical(kernel) == lab.guest.physical(kernel)
    assert lab.machine.translate(begin, cr3=0) is None


def test_a_lab_does_not_wait_for_the_collector() -> None:
    """A machine is large: no cycle may keep it when the last user has let go of it."""
    gc.disable()
    try:
        lab = boot("toy", append="load")
        lab.run_until_tasks()
        machine = weakref.ref(lab.machine)
        del lab
        assert machine() is None
    finally:
        gc.enable()
