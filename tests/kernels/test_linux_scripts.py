"""Our init on a stock kernel, and the scripts that come with textpoke, on QEMU."""

import pytest

from emu.image.linux_image import LinuxImage
from tests import linux_qemu, linux_texts

GOLDEN = linux_texts.GOLDEN
BANNER = "init: Linux 6.1.0-1-amd64 on 2 CPUs\n"
ORACLE = BANNER + (GOLDEN / "oracle-6.1.txt").read_text() + "=== end\n"
FAULTS = BANNER + "".join(
    line if line.startswith(("===", "init:")) else f"[    1.234567] {line}"
    for line in (GOLDEN / "faults-6.1.txt").read_text().splitlines(keepends=True)
)
STRESS = "".join(
    f"{line}\n"
    for line in (
        *("=== live patches", *(f"live patch {n} on and off" for n in range(10))),
        *("=== kprobes", *(f"kprobes {n} on and off" for n in range(20))),
        *("  probe     317    0", "  inside     20   0"),
        *("=== all functions", "function tracer on and off", "function_graph on and off"),
        "=== end",
    )
)


def test_the_recorded_texts_have_no_differences() -> None:
    assert linux_texts.check_oracle(ORACLE) == []
    assert linux_texts.check_faults(FAULTS) == []
    assert linux_texts.check_stress(STRESS) == []


def test_a_script_that_is_cut_short_has_the_texts_it_has() -> None:
    at = ORACLE.index("=== kprobe\n")
    assert linux_texts.check_beginning(ORACLE[:at]) == []
    assert linux_texts.check_oracle(ORACLE[:at])
    assert linux_texts.check_beginning(ORACLE[:at].replace("->ftrace_graph_func", "->other"))


def test_addresses_times_and_sizes_may_differ() -> None:
    said = ORACLE.replace("tramp: ADDRESS", "tramp: 0xffffffffc0999000").replace("SIZE", "0x77")
    said = said.replace("TASK [CPU] FLAGS TIME:", "  init-1       [003] d..1. 99.000001:")
    said = said.replace("CPU) DURATION |", " 1) ! 769.603 us  | ").replace("\n", "\r\n")
    assert linux_texts.check_oracle(said) == []
    assert linux_texts.check_oracle(said.replace("init: Linux 6.1", "init: Linux 5.10"))


@pytest.mark.parametrize(
    ("was", "said"),
    [
        ("(1)   I", "(1) R I"),
        ("=== kprobe\n", "=== kprobe\nfoo (1) ->bar\n"),
        ("klp_ftrace_handler+0x0", "klp_ftrace_handler+0x5"),
        ("'lp_cmdline': unpatching complete\n", ""),
        ("=== function_graph\n", ""),
    ],
)
def test_a_difference_is_found(was: str, said: str) -> None:
    assert was in ORACLE
    assert linux_texts.check_oracle(ORACLE.replace(was, said, 1))


@pytest.mark.parametrize(
    ("was", "said"),
    [
        ("error_code(0x0003)", "error_code(0x0002)"),
        ("do_null+0xc", "do_null+0xd"),
        ("[    1.234567] invalid opcode", "[    1.234567] double fault"),
        ("init: script line N: bug: killed by signal 11\n", ""),
    ],
)
def test_another_oops_is_found(was: str, said: str) -> None:
    assert was in FAULTS
    assert linux_texts.check_faults(FAULTS.replace(was, said, 1))


@pytest.mark.parametrize(
    ("was", "said"),
    [
        ("live patch 9 on and off\n", ""),
        ("=== end\n", ""),
        ("inside     20", "inside     19"),
        ("=== kprobes", "[   76.625909] watchdog: BUG: soft lockup - CPU#0 stuck\n=== kprobes"),
        ("function_graph on and off", "init: script failed"),
    ],
)
def test_trouble_under_load_is_found(was: str, said: str) -> None:
    assert was in STRESS
    assert linux_texts.check_stress(STRESS.replace(was, said, 1))


def test_rounds_that_were_asked_for_are_counted() -> None:
    assert linux_texts.check_stress(STRESS, patches=2, kprobes=4) == []
    assert linux_texts.check_stress(STRESS, patches=11)
    assert linux_texts.check_stress(STRESS, kprobes=21)


def test_the_functions_that_are_traced_are_counted() -> None:
    said = (
        "=== every function\n35609 pages:144 groups: 2\n{} enabled_functions\n{} enabled_functions"
    )
    assert linux_texts.check_every(said.format(35051, 0)) == []
    assert linux_texts.check_every(said.format(35051, 1))
    assert linux_texts.check_every(said.format(30000, 0))
    assert linux_texts.check_every("=== every function\n")


LANGUAGE = """\
# a comment
echo one   two "three  four" 'five > six' $i   # and another
repeat cpus
	echo CPU $i '$i' $index
end
repeat 2
	repeat 2
		echo inner $i
	end
	echo outer $i
end
cd /tmp
try cat nothing
mkdir folder
echo first > folder/file
echo second >> folder/file
echo third >> folder/file
cat folder/file
head 2 folder/file
grep ir folder/file
count folder/file
count folder/file ir
ls folder
expect folder/file second
expect not folder/file fourth
expect gone folder/nothing
try expect folder/file fourth
try expect gone folder/file
try expect not folder/file third
spawn writer
	sleep 0.05
	echo written > folder/later
end
wait folder/later written
join writer
patience 0.1
try wait folder/file fourth
try wait gone folder/file
spawn load
	cpu 0
	repeat
		getpid 10
		fork 1
		exec 1
		read /proc/self/stat 2
	end
end
sleep 0.1
kill load
spawn bad
	fail on purpose
	echo not reached
end
try join bad
try join bad
try rmmod nothing
try insmod folder/file
try run /nothing
run /init exit
try run /init
try cpu 77
try rmdir folder
echo end
poweroff 3
"""

SAID = """\
one two three  four five > six 0
CPU 0 $i $index
CPU 1 $i $index
inner 0
inner 1
outer 0
inner 0
inner 1
outer 1
init: script line 13: nothing: No such file or directory
first
second
third
first
second
first
third
3 folder/file
2 folder/file
file
folder/file does not contain: fourth
init: script line 27: folder/file: lacks what is expected
init: script line 28: folder/file: expected to be gone
folder/file contains: third
init: script line 29: folder/file: has what is not expected
init: script line 37: folder/file: waited in vain for its text
init: script line 38: folder/file: waited in vain: it is still there
init: script line 51: in bad: fail: on purpose
init: script line 54: bad: exit status 1
init: script line 55: bad: no process has this name; spawn gives it
init: script line 56: nothing: No such file or directory
init: script line 57: folder/file: Exec format error
init: script line 58: /nothing: No such file or directory
init: script line 58: /nothing: exit status 127
init: script line 60: /init: exit status 1
init: script line 61: cpu: Invalid argument
init: script line 62: folder: error 39
end
init: power off
"""


def after_banner(transcript: str) -> str:
    """Return what init says behind its first line, as the terminal showed it."""
    banner, _, said = transcript.partition(" CPUs\n")
    assert banner.splitlines()[-1].startswith("init: Linux ")
    return said


@pytest.mark.slow
def test_a_script_does_what_it_says(linux: LinuxImage) -> None:
    files = {"/tmp/empty": b""}  # noqa: S108  # of the guest
    said = linux_qemu.run(linux, LANGUAGE, cores=2, files=files)
    assert after_banner(said) == SAID


@pytest.mark.slow
def test_a_script_that_is_wrong_is_not_begun_and_the_console_answers(
    linux: LinuxImage,
) -> None:
    script = "echo begun\nrepeat 2\necho 'x\nech\nhead 3\nend\nend\n"
    typed = ["", "repeat 2", "echo typed $i", "end", "nonsense", "poweroff"]
    said = after_banner(linux_qemu.run(linux, script, cores=2, typed=typed))
    assert "begun" not in said
    for line in (
        "init: script line 3: a quote does not end, or the line is too long",
        "init: script line 4: ech: no such command; help lists them",
        "init: script line 5: usage: head N FILE",
        "init: script line 7: end: no block is open here",
        "init: script failed",
        "  ... end",
        "typed 0",
        "typed 1",
        "init: console line 1: nonsense: no such command; help lists them",
        "init: power off",
    ):
        assert line in said.splitlines()


@pytest.mark.slow
def test_qemu_says_what_was_recorded(linux: LinuxImage) -> None:
    modules = linux_qemu.modules(linux)
    for name, check in (
        ("oracle", linux_texts.check_oracle),
        ("faults", linux_texts.check_faults),
    ):
        script = linux_qemu.script(name) + "poweroff\n"
        said = linux_qemu.run(linux, script, cores=2, files=modules)
        assert check(said) == []
