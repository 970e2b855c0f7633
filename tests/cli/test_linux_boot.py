"""A stock kernel is booted by the command, steered, saved, its run made again, and broken."""

import re
from pathlib import Path

import pytest

from emu.image.linux_image import LinuxImage
from tests import linux
from tests.cli.conftest import Command

ENDBR64 = bytes.fromhex("f30f1efa")

SCRIPT = """\
cd /sys/kernel/tracing
spawn reader
  cpu 1
  repeat
    read /proc/cmdline
  end
end
cpu 0
echo cmdline_proc_show > set_ftrace_filter
echo function > current_tracer
echo nop > current_tracer
kill reader
expect not /proc/sys/kernel/tainted 512
poweroff
"""
SITE = "cmdline_proc_show"
FAULT = f"delay sync 1 on core 1 by 5000 of {SITE}"


def site(kernel: Path, offset: int = 0) -> str:
    """Return where the patched instruction of a function is, or a byte of it."""
    image = LinuxImage.read(kernel)
    first = image.symbols[SITE].address
    offset += len(ENDBR64) * (image.read_virtual(first, len(ENDBR64)) == ENDBR64)
    return f"{SITE}+{offset:#x}" if offset else SITE


@pytest.mark.slow
def test_a_steered_run_is_replayed(textpoke: Command, tmp_path: Path, linux_file: Path) -> None:
    """The int3 of each patch is executed, because core 0 waits; the moves alone do it again."""
    script, schedule = tmp_path / "script", tmp_path / "run.json"
    script.write_text(SCRIPT)
    words = ("linux", linux_file, "--script", script)
    there = site(linux_file)
    hold = f"core 0 while *{there} == 0xcc until core 1 executes {there}"
    steer = ("--hold", hold, "--fault", FAULT)
    first = textpoke(*words, *steer, "--save", schedule, "--hash")
    assert first.status == 0, first
    assert b"init: power off" in first.out
    assert f"hold {hold}: it began 2 times, core 1 came there 2 times" in first.err
    assert f"fault {FAULT}: made once" in first.err
    again = textpoke(*words, "--replay", schedule, "--hash")
    assert again.status == 0, again
    assert again.out.split()[-1] == first.out.split()[-1]


# --- ten rounds of a tracer on and off, in --model sdm, and one sync of each patch lost -----------


@pytest.fixture(params=linux.files() or [Path()], ids=lambda path: path.name or "none")
def kernel(request: pytest.FixtureRequest) -> Path:
    """Each kernel there is."""
    path: Path = request.param
    if not path.name:
        pytest.skip(linux.MISSING)
    return path


def rounds(textpoke: Command, kernel: Path, *words: object) -> tuple[int, str, str]:
    """Return the status, what is on the serial line, and what is told at the end."""
    said = textpoke(
        "linux", kernel, "--script", "rounds", "--seed", 1, "--append", "oops=panic",
        "--steps", 3_000_000_000, *words,
    )  # fmt: skip
    return said.status, said.out.decode(), said.err


@pytest.mark.slow
def test_a_kernel_that_loses_nothing_survives(textpoke: Command, kernel: Path) -> None:
    status, serial, told = rounds(textpoke, kernel)
    assert status == 0
    assert "round 9" in serial
    assert "executed" not in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sync", "byte", "value"), [(1, 1, 0x1F), (2, 0, 0xE8)], ids=["int3", "tail"]
)
def test_without_this_sync_it_executes_torn_bytes_and_dies(
    textpoke: Command, linux_file: Path, sync: int, byte: int, value: int
) -> None:
    """A hold lets core 1 come while its old bytes and the new ones do not fit together.

    The byte is the nop's second, stored with its tail, or the call's first, stored last.
    """
    there = site(linux_file)
    hold = f"core 0 while *{site(linux_file, byte)} == {value:#x} until core 1 executes {there}"
    fault = f"lose every sync {sync} on core 1 of {SITE}"
    status, serial, told = rounds(textpoke, linux_file, "--fault", fault, "--hold", hold)
    assert status == 1
    assert "Kernel panic" in serial
    bytes_ = r"(?: [0-9a-f]{2})+"
    where = re.escape(there)
    found = re.search(rf"core 1 executed \w+ bytes at {where}, ([\d.]+) ms:({bytes_})  ", told)
    assert found, told
    stores = re.findall(
        rf"([\d.]+) ms  core 0 stored({bytes_}) over({bytes_}), byte \d of it", told
    )
    frozen = re.search(r"([\d.]+) ms  a fault kept core 1 from serialising", told)
    assert frozen
    assert stores[0][1] == " cc"  # the stores of this patch, and of none before
    assert any(float(frozen[1]) < float(time) for time, *_ in stores)
    assert all(float(time) <= float(found[1]) for time, *_ in stores)


@pytest.mark.slow
def test_without_the_last_sync_an_int3_is_nobodys_or_is_masked(
    textpoke: Command, kernel: Path, tmp_path: Path
) -> None:
    """Up to 6.1 the handler of kprobes goes back to an instruction whose int3 is gone.

    A replay tells of it, too.
    """
    fault, run = f"lose every sync 3 on core 1 of {SITE}", tmp_path / "run.json"
    status, serial, told = rounds(textpoke, kernel, "--fault", fault, "--save", run)
    if status == 0:
        assert "round 9" in serial
        assert "core 1 lost 20 syncs" in told
        assert "did not know and that of kprobes took" in told
        return
    assert status == 1
    assert "Oops: int3" in serial
    assert f"core 1 executed a stale int3 at {site(kernel)}, " in told
    assert "no handler knew it, and the kernel died" in told
    again = textpoke("linux", kernel, "--script", "rounds", "--replay", run)
    assert again.status == 1
    assert "no handler knew it, and the kernel died" in again.err
