"""What the scripts in resources/linux make a kernel say, held against what it ought to say.

A transcript is all that came over the serial console, of QEMU or of our machine. Its parts begin
with `=== NAME`. What differs from run to run is replaced (addresses, times, CPUs, processes), and
so is what differs between builds of one series of kernels (sizes, how many functions there are).
What is left was recorded from Linux on QEMU: tests/golden/linux has a file for each series.
"""

import difflib
import re
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden" / "linux"

_BANNER = re.compile(r"^init: Linux ((\d+\.\d+)\.\S+) on \d+ CPUs?$", re.MULTILINE)
_PRINTK = re.compile(r"^\[ *\d+\.\d{6}\] ?")

_REPLACED = (
    (re.compile(r"\s+$"), ""),
    (re.compile(r"^init: (script|console) line \d+: "), r"init: \1 line N: "),
    # the address of a trampoline may have the name of a module that was there before
    (re.compile(r"\ttramp: .*? \("), "\ttramp: ADDRESS ("),
    (re.compile(r"(\+0x[0-9a-f]+)/0x[0-9a-f]+"), r"\1/SIZE"),
    (re.compile(r"\b(0x)?f{4}[0-9a-f]{12}\b"), "ADDRESS"),
    (re.compile(r"^\d+ pages:\d+ groups: \d+$"), "N pages:N groups: N"),
    (re.compile(r"^ *\S+-\d+ +\[\d+\] \S+ +\d+\.\d{6}: "), "TASK [CPU] FLAGS TIME: "),
    (re.compile(r"^ *\d+\) +(?:[-+!#*@$] +)?(?:\d+\.\d+ us)? *\|  +"), "CPU) DURATION | "),
)

_TOLD = re.compile(
    r"WARNING: |BUG: |#PF: |Oops: |kernel BUG at|invalid opcode: |general protection fault|"
    r"divide error: |int3: |double fault: |stack guard page|kernel tried to execute|RIP: 0010:|"
    r"Kernel panic|misbehave: a"
)
_REPLACED_IN_OOPS = (
    (re.compile(r"CPU: \d+ PID: \d+"), "CPU: N PID: N"),
    (re.compile(r"\[(#\d+)\] .*"), r"[\1]"),
    (re.compile(r"init[/[]\d+(/0x\w+|\])"), "init/N"),
    (re.compile(r"page was hit at .*"), "page was hit"),
    # where exactly is random: CONFIG_RANDOMIZE_KSTACK_OFFSET
    (re.compile(r"do_stack\+0x[0-9a-f]+/0x[0-9a-f]+"), "do_stack"),
    (re.compile(r"address: [0-9a-f]{16}"), "address: ADDRESS"),
)

_TROUBLE = re.compile(
    r"WARNING: |BUG: |Oops: |Kernel panic|detected stall|stuck for|blocked for|init: script failed"
)


def parts(transcript: str) -> dict[str, list[str]]:
    """Return the lines of each part; those before the first one are in part ""."""
    found: dict[str, list[str]] = {"": []}
    lines = found[""]
    for line in transcript.replace("\r", "").splitlines():
        if line.startswith("=== "):
            lines = found.setdefault(line[4:].strip(), [])
        else:
            lines.append(line)
    return found


def series(transcript: str) -> str:
    """Return the series of the kernel, "6.1"; "" if init has not said it."""
    banner = _BANNER.search(transcript.replace("\r", ""))
    return banner[2] if banner else ""


def check_oracle(transcript: str) -> list[str]:
    """Return how oracle.script's texts differ from the recorded ones; nothing if they do not."""
    return _differences(transcript, "oracle", oracle_text(transcript))


def check_beginning(transcript: str) -> list[str]:
    """Return how the texts of a script that begins as oracle.script does differ from its own."""
    text = oracle_text(transcript)
    return _differences(transcript, "oracle", text, lines=text.count("\n"))


def oracle_text(transcript: str) -> str:
    """Return what is compared: all parts, without what may differ."""
    text = []
    for name, lines in parts(transcript).items():
        if name in {"", "end"}:
            continue
        text.append(f"=== {name}")
        for line in lines:
            message = _PRINTK.match(line)
            if message and name != "messages":
                continue  # of the kernel, not of the script
            text.append(_without(_REPLACED, line[message.end() :] if message else line))
    return "".join(f"{line}\n" for line in text)


def check_faults(transcript: str) -> list[str]:
    """Return how the oopses of faults.script, or of a fatal one, differ from the recorded ones."""
    name = next((part for part in ("int3", "stack") if part in parts(transcript)), "faults")
    return _differences(transcript, name, faults_text(transcript))


def faults_text(transcript: str) -> str:
    """Return what is compared: the kinds, error codes and places of the oopses."""
    text = []
    for name, lines in parts(transcript).items():
        if name in {"", "end"}:
            continue
        text.append(f"=== {name}")
        for line in lines:
            message = _PRINTK.match(line)
            told = line[message.end() :] if message else line
            if (message and _TOLD.search(told)) or line.startswith("init: "):
                told = _without((*_REPLACED_IN_OOPS, *_REPLACED), told)
                if told != text[-1]:
                    text.append(told)
    return "".join(f"{line}\n" for line in text)


def check_stress(transcript: str, *, patches: int = 10, kprobes: int = 20) -> list[str]:
    """Return what went wrong in stress.script; nothing if all of it was done.

    patches, kprobes: how many rounds of each it has.
    """
    found = parts(transcript)
    lines = [line for part in found.values() for line in part]
    wrong = [line for line in lines if _TROUBLE.search(line)]
    done = [
        *(f"live patch {n} on and off" for n in range(patches)),
        *(f"kprobes {n} on and off" for n in range(kprobes)),
        "function tracer on and off",
        "function_graph on and off",
    ]
    wrong += [f"missing: {line}" for line in done if line not in lines]
    for probe in ("probe", "inside"):
        hits = [line.split()[1] for line in lines if line.split()[:1] == [probe]]
        if not any(int(number) >= kprobes for number in hits):
            wrong.append(f"missing: {kprobes} hits of the kprobe called {probe}")
    return wrong if "end" in found else [*wrong, "missing: === end"]


def check_every(transcript: str) -> list[str]:
    """Return what is wrong in every.script: how many functions there are, and how many are traced.

    Those that are never traced are weak functions that another one took the place of.
    """
    text = "\n".join(parts(transcript).get("every function", []))
    there = re.search(r"^(\d+) pages:", text, re.MULTILINE)
    counted = [int(n) for n in re.findall(r"^(\d+) enabled_functions$", text, re.MULTILINE)]
    if not there or len(counted) != 2:
        return ["missing: numbers of functions"]
    wrong = []
    if not 0.98 * int(there[1]) < counted[0] <= int(there[1]):
        wrong.append(f"{counted[0]} of {there[1]} functions are traced")
    if counted[1]:
        wrong.append(f"{counted[1]} functions are traced afterwards")
    return wrong


def _without(replaced: tuple[tuple[re.Pattern[str], str], ...], line: str) -> str:
    for pattern, by in replaced:
        line = pattern.sub(by, line)
    return line


def _differences(transcript: str, name: str, text: str, *, lines: int | None = None) -> list[str]:
    path = GOLDEN / f"{name}-{series(transcript) or 'none'}.txt"
    if not path.exists():
        return [f"no recorded text for this kernel: {path.name}"]
    recorded = path.read_text().splitlines()[:lines]
    return list(difflib.unified_diff(recorded, text.splitlines(), "recorded", "said", lineterm=""))
