"""Nothing of the host reaches a guest: equal hashes on two machines are a promise.

What a guest can reach of its host is searched for in three ways: in the machine's sources, in what
a guest reads when it asks everything it can ask, and in what changes when the host's memory, clock,
address space and environment do.
"""

import ast
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from tests.conftest import ROOT
from tests.machine.guest_builder import build, finish, log
from tests.machine.guest_tables import DATA

SOURCES = sorted(
    path for package in ("machine", "moves") for path in (ROOT / "emu" / package).glob("*.py")
)
HOST = {
    "datetime", "getpass", "locale", "multiprocessing", "platform", "random", "secrets",
    "socket", "threading", "time", "uuid",
}  # fmt: skip
MAY_ASK = {
    "native.py": {"os", "tempfile"},  # where compiled code is kept
    "schedule_file.py": {"os", "secrets"},  # the name of a file that is not whole yet
}

LEAVES = ((0, 0x18), (0x40000000, 4), (0x80000000, 0x10))  # first leaf, how many
SUBLEAVES = 4
WOULD_READ_THE_HOST = {
    "rdtscp": ".byte 0x0f, 0x01, 0xf9",
    "rdrand eax": ".byte 0x0f, 0xc7, 0xf0",
    "rdrand rax": ".byte 0x48, 0x0f, 0xc7, 0xf0",
    "rdseed eax": ".byte 0x0f, 0xc7, 0xf8",
    "rdpid rax": ".byte 0xf3, 0x0f, 0xc7, 0xf8",
}


def imports(path: Path) -> set[str]:
    """Return the modules that a source imports, and the names it takes from the system's."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
            if node.module == "numpy":
                found |= {f"numpy.{name.name}" for name in node.names}
        elif isinstance(node, ast.Attribute) and node.attr in ("urandom", "getrandbits", "environ"):
            found.add(node.attr)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_machine_asks_the_host_nothing(path: Path) -> None:
    asked = imports(path) & (HOST | {"os", "tempfile", "urandom", "getrandbits", "numpy.random"})
    assert asked <= MAY_ASK.get(path.name, set())


def everything() -> Machine:
    """Return a machine after a guest has asked for everything that might come from the host.

    cpuid, the time stamp, counters of the processor, model-specific registers it never wrote, and
    the FPU as it was. The answers lie from DATA on.
    """
    leaves = "".join(
        f"""mov r8d, {first:#x}; mov r9d, {count}; leaf{first:x}: xor r10d, r10d;
        sub{first:x}: mov eax, r8d; mov ecx, r10d; cpuid;
        mov [rdi], eax; mov [rdi + 4], ebx; mov [rdi + 8], ecx; mov [rdi + 12], edx; add rdi, 16;
        inc r10d; cmp r10d, {SUBLEAVES}; jne sub{first:x};
        inc r8d; dec r9d; jnz leaf{first:x}; """
        for first, count in LEAVES
    )
    registers = "".join(
        f"mov ecx, {msr:#x}; rdmsr; mov [rdi], eax; mov [rdi + 4], edx; add rdi, 8; "
        for msr in (0x10, 0x1B, 0x17, 0xE7, 0xE8, 0x198, 0x1A0, 0x277, 0xC0000103, 0x12345)
    )
    code = (
        f"mov edi, {DATA}; {leaves} {registers} rdtsc; mov [rdi], eax; mov [rdi + 4], edx; "
        f"fxsave [rdi + 64]; hlt"
    )
    machine = build(code).machine(ram_mib=8)
    finish(machine)
    assert not log(machine)
    return machine


@pytest.mark.parametrize("name", WOULD_READ_THE_HOST)
def test_what_would_read_the_host_is_undefined(name: str) -> None:
    machine = build(f"nop; {WOULD_READ_THE_HOST[name]}; hlt").machine()
    finish(machine)
    assert [trap.vector for trap in log(machine)] == [6]


def test_cpuid_says_the_same_on_every_host() -> None:
    """All leaves, as they were when this was written."""
    size = 16 * SUBLEAVES * sum(count for _, count in LEAVES)
    answers = everything().read(DATA, size)
    assert hashlib.sha256(answers).hexdigest()[:16] == "75c8b822054ea8ae"


HASH = """
from tests.machine.test_host import everything
from tests.machine.slicing import make_runs
from tests.machine.zoo import zoo
from emu.machine.hashing import state_hash
machine = zoo()
make_runs(machine, 7, 400, None)
print(state_hash(everything()), state_hash(machine))
"""


def hashes(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", HASH], capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, **environment},
    )  # fmt: skip
    return done.stdout.strip()


def test_a_hash_does_not_depend_on_the_host() -> None:
    """Other bytes in fresh and freed host memory, another time zone, another hash seed.

    Every process has another address space, another process number and another time anyway.
    """
    here = hashes()
    assert len(here.split()) == 2
    for environment in (
        {"MALLOC_PERTURB_": "165", "TZ": "Pacific/Chatham", "PYTHONHASHSEED": "1"},
        {"MALLOC_PERTURB_": "90", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"},
    ):
        assert hashes(**environment) == here


def test_the_probe_would_notice() -> None:
    """Another time stamp, another hash: what comes from outside does not go unseen."""
    first, second = everything(), everything()
    second.state.ram[DATA] ^= 1
    assert state_hash(first) != state_hash(second)
