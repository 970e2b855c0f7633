"""import_seconds and boot_seconds: how long until there is something to see, in a new process."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from emu import resources
from tests.bench import qemu
from tests.bench.row import NO_QEMU, Row, python_environment

_TIMES = 5
_ROOT = Path(__file__).parents[2]
_LINE = "load: all cpus run tasks"
_IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
_BOOT = f"""
from emu.lab import boot
lab = boot("toy", cores=4, append="load", quantum=100_000)
lab.run(until={_LINE!r}.encode())
print({_LINE!r})
"""


def _python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=_ROOT,
        env=python_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _boot() -> float:
    start = time.perf_counter()
    assert _python(_BOOT) == _LINE
    return time.perf_counter() - start


def _boot_qemu() -> float:
    seen = qemu.lines(resources.toy(), "load", last=_LINE)
    return next(seconds for line, seconds in seen.items() if line.startswith(_LINE))


def measure() -> list[Row]:
    """Return the seconds of an import and of a boot, everything compiled before."""
    _boot()
    imports, numbas, boots, peers = [], [], [], []
    for _ in range(_TIMES):
        imports.append(float(_python(_IMPORT.format("emu.lab"))))
        numbas.append(float(_python(_IMPORT.format("numba"))))
        boots.append(_boot())
        if qemu.version():
            peers.append(_boot_qemu())
    ours, numba = statistics.median(imports), statistics.median(numbas)
    boot = statistics.median(boots)
    rows = [Row("import_seconds", ours, "s", f"import numba: {numba:.2f} s", numba / ours)]
    if not peers:
        return [*rows, Row("boot_seconds", boot, "s", NO_QEMU, None)]
    peer = statistics.median(peers)
    what = f"QEMU {qemu.version()}, firmware and all: {peer:.2f} s"
    return [*rows, Row("boot_seconds", boot, "s", what, peer / boot)]
