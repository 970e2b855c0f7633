"""Stock kernels on our machine: what they say of themselves, held against Linux on QEMU.

A kernel boots once for each number of CPUs, and does everything there one after another; figures
at the end of a run say what that took. TEXTPOKE_WHOLE_MATRIX=1: the whole stress, on more CPUs
and for every kernel there is.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import emu.lab
from emu import resources
from emu.image import initramfs
from emu.image.linux_image import LinuxImage
from emu.lab import COMMAND_LINE
from tests import linux_qemu, linux_texts
from tests.conftest import ROOT
from tests.linux import MISSING, files
from tests.summary import Figures

WHOLE = bool(os.environ.get("TEXTPOKE_WHOLE_MATRIX"))
PATCHES, KPROBES = (10, 20) if WHOLE else (2, 4)
STRESS = (
    linux_qemu.script("stress")
    .replace("repeat 10\n", f"repeat {PATCHES}\n")
    .replace("repeat 20\n", f"repeat {KPROBES}\n")
)
ORACLE, FAULTS = linux_qemu.script("oracle"), linux_qemu.script("faults")
BEGINNING = ORACLE.partition("echo === live patch and function tracer\n")[0]
"""Tracers, kprobes, and a live patch switched on: half a minute of 6.12, all takes two."""

SHORT = ORACLE.partition("echo === function_graph\n")[0]
"""The function tracer, for one function, once and twice."""

SCRIPT_END = "=== end\n"
BOUND = 60_000_000_000  # instructions; the whole stress takes 6 thousand million

pytestmark = pytest.mark.slow


def said(image: LinuxImage, script: str, cores: int, figures: Figures, *, what: str) -> list[str]:
    """Boot a kernel, and return what each script says, behind the line in which init greets."""
    start, init = time.process_time(), resources.init().read_bytes()
    files = initramfs.build(init, f"{script}poweroff\n".encode(), linux_qemu.modules(image))
    started = image.with_initramfs(files)
    lab = emu.lab.boot(started, cores=cores, ram_mib=256, append=COMMAND_LINE)
    lab.machine.events.limit = 1 << 16
    end = lab.run(instructions=BOUND)
    text = lab.machine.output.decode("utf-8", "replace").replace("\r", "")
    figures(
        "stock kernels",
        f"{linux_qemu.release(image)} {what}, {cores} CPUs",
        cpu_seconds=round(time.process_time() - start),
        million_instructions=lab.machine.retired() // 1_000_000,
    )
    assert end.name == "EXIT", (end, text[-2000:])
    banner = re.search(r"^init: Linux .* CPUs?\n", text, re.MULTILINE)
    assert banner, text[-2000:]
    assert f" on {cores} CPU" in banner[0]
    *scripts, rest = text[banner.end() :].split(SCRIPT_END)
    assert rest.startswith("init: power off"), rest
    return [f"{banner[0]}{one}{SCRIPT_END}" for one in scripts]


def test_all_that_a_kernel_does_under_our_eyes_on_two_cpus(
    linux: LinuxImage, figures: Figures
) -> None:
    everything = ORACLE + STRESS + FAULTS  # the last one leaves a tainted kernel
    oracle, stress, faults = said(linux, everything, 2, figures, what="everything")
    assert linux_texts.check_oracle(oracle) == []
    assert linux_texts.check_stress(stress, patches=PATCHES, kprobes=KPROBES) == []
    assert linux_texts.check_faults(faults) == []


@pytest.mark.parametrize("cores", [1, 4, 8])
def test_the_same_texts_with_any_number_of_cpus(
    linux: LinuxImage, figures: Figures, cores: int
) -> None:
    script = ORACLE + STRESS if WHOLE else ORACLE
    oracle, *stress = said(linux, script, cores, figures, what="oracle")
    assert linux_texts.check_oracle(oracle) == []
    for text in stress:
        assert linux_texts.check_stress(text, patches=PATCHES, kprobes=KPROBES) == []


def test_other_kernels_boot_and_trace_with_no_change_of_code(figures: Figures) -> None:
    if not files():
        pytest.skip(MISSING)
    others = files()[1:]
    if not others:
        pytest.skip("one Linux kernel here: textpoke linux get 6.12 fetches another")
    for path in others:
        image = LinuxImage.read(path)
        script = ORACLE + STRESS + FAULTS if WHOLE else f"{BEGINNING}echo {SCRIPT_END}"
        oracle, *more = said(image, script, 2, figures, what="another")
        if not WHOLE:
            assert linux_texts.check_beginning(oracle) == []
            continue
        stress, faults = more
        assert linux_texts.check_oracle(oracle) == []
        assert linux_texts.check_stress(stress, patches=PATCHES, kprobes=KPROBES) == []
        assert linux_texts.check_faults(faults) == []


def end_of_a_process(path: Path, script: Path, cores: int, seed: int) -> tuple[str, str]:
    """Return what is said on the serial line, and the hash at the end, of a process of its own."""
    words = ["linux", path, "--script", script, "--cores", cores, "--seed", seed, "--hash"]
    command = [sys.executable, "-m", "emu.cli.main", *map(str, words)]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    serial, _, found = done.stdout.rstrip("\n").rpartition("\n")
    return serial, found


@pytest.mark.parametrize("cores", [2, 4])
def test_two_processes_with_the_same_seed_end_with_the_same_hash(
    linux_file: Path, tmp_path: Path, cores: int
) -> None:
    script = tmp_path / "short.script"
    script.write_text(SHORT + "poweroff\n")
    one, other = (end_of_a_process(linux_file, script, cores, seed=7 + cores) for _ in range(2))
    assert "cmdline_proc_show (1)" in one[0]
    assert re.fullmatch(r"[0-9a-f]{16,}", one[1])
    assert one == other
