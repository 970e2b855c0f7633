"""What a process takes before its machine runs, once the machine has been compiled."""

import subprocess
import sys

from tests.conftest import ROOT

RUN = """
import gc, sys
from emu import resources
from emu.image.elf import ElfImage
from emu.machine.machine import Machine

machine = Machine(ElfImage.read(resources.image_path("toy")).boot_image, cores=2)
machine.run(0, 1000)
known = sum(type(each).__name__ == "CPUDispatcher" for each in gc.get_objects())
print(machine.retired(), known, "numba.np.linalg" in sys.modules)
"""


def test_numba_gets_to_know_what_is_called_and_imports_no_compiler() -> None:
    """The first of two processes may have to compile."""
    command = [sys.executable, "-c", RUN]
    for _ in range(2):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    retired, known, compiler = done.stdout.split()
    assert int(retired) == 1000
    assert 0 < int(known) < 40
    assert compiler == "False"
