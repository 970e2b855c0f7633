"""A stock kernel is booted by the command, steered, saved, and its run made again."""

from pathlib import Path

import pytest

from tests.cli.conftest import Command

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
HOLD = f"core 0 while *{SITE} == 0xcc until core 1 executes {SITE}"
FAULT = f"delay sync 1 on core 1 by 5000 of {SITE}"


@pytest.mark.slow
def test_a_steered_run_is_replayed(textpoke: Command, tmp_path: Path, linux_file: Path) -> None:
    """The int3 of each patch is executed, because core 0 waits; the moves alone do it again."""
    script, schedule = tmp_path / "script", tmp_path / "run.json"
    script.write_text(SCRIPT)
    words = ("linux", linux_file, "--script", script)
    steer = ("--hold", HOLD, "--fault", FAULT)
    first = textpoke(*words, *steer, "--save", schedule, "--hash")
    assert first.status == 0, first
    assert b"init: power off" in first.out
    assert f"hold {HOLD}: it began 2 times, core 1 came there 2 times" in first.err
    assert f"fault {FAULT}: made once" in first.err
    again = textpoke(*words, "--replay", schedule, "--hash")
    assert again.status == 0, again
    assert again.out.split()[-1] == first.out.split()[-1]
