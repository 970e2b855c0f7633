"""Make tests/guest/orc_stacks.json: stacks of real kernels, and what those kernels said of them.

    python -m tests.guest.make_orc_stacks BUSYBOX VMLINUZ VMLINUX [VMLINUZ VMLINUX ...]

Each kernel is booted under QEMU with one CPU. Whenever it is about to write down a stack, of
another task for /proc/PID/stack, or its own for a `stacktrace` trigger, gdb's protocol stops it
there, and our own walk reads the same stack. What is kept: the words that walk has read, the ORC
entries and names it has used, and what the kernel wrote. Nothing else of the kernel is in the file.
BUSYBOX is a static one, VMLINUX the kernel in VMLINUZ, decompressed.
"""

import json
import re
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emu.errors import TextpokeError
from emu.guest.orc_code import SWITCH, OrcCode
from emu.guest.orc_frames import OrcFrames
from emu.guest.registers import Registers
from emu.guest.stack_areas import Area
from emu.guest.walk import Walk
from emu.image.elf import ElfImage
from emu.image.frame_rules import COLUMNS
from emu.image.orc import OrcTable
from emu.image.symbols import Symbol, Symbols

OUT = Path(__file__).with_name("orc_stacks.json")

SCRIPT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys
/bin/busybox --install -s /bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t tracefs t /sys/kernel/tracing
T=/sys/kernel/tracing
sleep 10000 &
(cat | cat) < /dev/ttyS1 &
sleep 1
echo 'p:tick update_process_times' > $T/kprobe_events
echo 'p:softirq run_timer_softirq' >> $T/kprobe_events
echo 'p:fault handle_mm_fault' >> $T/kprobe_events
echo 'p:open do_sys_openat2' >> $T/kprobe_events
for e in tick softirq fault open; do echo 1 > $T/events/kprobes/$e/enable; done
cat /proc/kallsyms > /dev/ttyS1
grep __builtin__ftrace /proc/kallsyms > /dev/ttyS1
echo KALLSYMS-END > /dev/ttyS1
sleep 8
for p in 1 2 10 14 15 $(pidof sleep) $(pidof cat); do
  [ -e /proc/$p/stack ] && echo "TASK $(cat /proc/$p/comm)" && cat /proc/$p/stack
done
echo TASKS-END
echo 1 > $T/options/sym-offset
for e in tick softirq fault open; do echo stacktrace:3 > $T/events/kprobes/$e/trigger; done
for i in 1 2 3; do cat /proc/kallsyms > /dev/null; done
echo 0 > $T/tracing_on
grep -e ' => ' -e 'stack trace' $T/trace
echo ALL-END
sleep 1000
"""
_ORDER = (0, 3, 2, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
"""DWARF's column of rax rbx rcx rdx rsi rdi rbp rsp r8 to r15, in the order of gdb's packet g."""

_STACK, _PAGE = 16 << 10, 4096
_HARDIRQ_STACK_PTR = 32  # in struct pcpu_hot
_STORED_SP = b"\x48\x89\xa7"  # mov [rdi + ...], rsp
_PACKET = 1024
_NAMES = (SWITCH, "ftrace_regs_caller", "return_to_handler", "ret_from_fork", "ret_from_fork_asm")
_ONE_STACK = "<stack trace>"


class Gdb:
    """The side of gdb in its remote serial protocol. Source: gdb's manual, appendix E."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rb", buffering=0)
        while self.stopped():  # QEMU stops for who connects, and says so
            pass

    def send(self, text: str) -> None:
        body = text.encode()
        self._socket.sendall(b"$%s#%02x" % (body, sum(body) % 256))
        assert self._file.read(1) == b"+"

    def ask(self, text: str) -> str:
        self.send(text)
        return self.answer()

    def answer(self) -> str:
        while self._file.read(1) != b"$":
            pass
        found = b""
        while (byte := self._file.read(1)) != b"#":
            found += byte
        self._file.read(2)
        self._socket.sendall(b"+")
        return found.decode()

    def stopped(self) -> bool:
        """Return whether the kernel has stopped; waits a second for it."""
        if not select.select([self._socket], [], [], 1)[0]:
            return False
        self.answer()
        return True

    def registers(self) -> list[int]:
        data = bytes.fromhex(self.ask("g"))
        return [int.from_bytes(data[at : at + 8], "little") for at in range(0, 17 * 8, 8)]

    def read(self, address: int, size: int) -> bytes:
        found = b""
        while len(found) < size:
            at = address + len(found)
            text = self.ask(f"m{at:x},{min(size - len(found), _PACKET):x}")
            if text.startswith("E"):
                raise TextpokeError(f"{at:#x} is not mapped")
            found += bytes.fromhex(text)
        return found

    def step_over(self, address: int) -> None:
        """Execute the instruction at which a break point is."""
        self.ask(f"z1,{address:x},1")
        self.ask("s")
        self.ask(f"Z1,{address:x},1")

    def word(self, address: int) -> int:
        return int.from_bytes(self.read(address, 8), "little")


def cpio(busybox: bytes) -> bytes:
    """Return an initramfs with a script and a shell. Source: initramfs/buffer-format.rst."""
    out = b""
    files = (
        ("bin", 0o40755, b"", (0, 0)),
        ("dev", 0o40755, b"", (0, 0)),
        ("dev/console", 0o20600, b"", (5, 1)),
        ("dev/null", 0o20666, b"", (1, 3)),
        ("dev/ttyS1", 0o20600, b"", (4, 65)),
        ("init", 0o100755, SCRIPT.encode(), (0, 0)),
        ("bin/busybox", 0o100755, busybox, (0, 0)),
        ("TRAILER!!!", 0, b"", (0, 0)),
    )
    for number, (name, mode, data, device) in enumerate(files, 1):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08x" % each for each in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return out


class Noted(Walk):
    """A walk that notes the words it reads."""

    words: dict[int, int]

    def _read(self, address: int, size: int) -> int:
        self.words[address] = super()._read(address, size)
        return self.words[address]


class Kernel:
    """A kernel that runs, stopped by gdb's protocol; its names are those it has told."""

    def __init__(self, folder: Path, vmlinux: Path) -> None:
        self._folder, self._gdb = folder, Gdb(folder / "gdb")
        names = [line.split() for line in told(folder, 1).splitlines() if line.count(" ") >= 2]
        own = [(name[2], int(name[0], 16)) for name in names if len(name) == 3]
        self._address = dict(reversed(own))
        self.trampolines = [int(n[0], 16) for n in names if n[-1] == "[__builtin__ftrace]"]
        self.symbols = Symbols(Symbol(n, at, 0, "func") for n, at in own if at >> 63)
        image = ElfImage.read(vmlinux)
        image.__dict__["symbols"] = self.symbols  # the file has none
        self.table = OrcTable.of(image)
        self._code, self._frames = OrcCode(image, self.table), OrcFrames(self.table, image)
        self._code.load(
            self._frames.trampoline((at, at + _PAGE), "ftrace_regs_caller", "ftrace_trampoline")
            for at in self.trampolines
        )
        code = self._gdb.read(self._address[SWITCH], 32)
        self._sp = int.from_bytes(code[code.index(_STORED_SP) + 3 :][:4], "little")
        self.asked: set[int] = set()

    def stacks(self) -> Iterator[tuple[bool, dict[str, Any]]]:
        """Yield each stack that is about to be written down, and whether it is another task's."""
        own, other = self._address["stack_trace_save"], self._address["stack_trace_save_tsk"]
        for address in (own, other):
            assert self._gdb.ask(f"Z1,{address:x},1") == "OK"
        while True:
            self._gdb.send("c")
            while not self._gdb.stopped():
                if "ALL-END" in told(self._folder, 0):
                    return
            registers = self._gdb.registers()
            if registers[16] == other:
                sp = self._gdb.word(registers[5] + self._sp)
                yield True, self._walk(self._frames.resuming(sp), sp, ())
            else:
                yield False, self._walk_own(registers)
            self._gdb.step_over(registers[16])

    def _walk_own(self, registers: list[int]) -> dict[str, Any]:
        columns: list[int | None] = [None] * COLUMNS
        for column, value in zip(_ORDER, registers, strict=False):
            columns[column] = value
        top = self._gdb.word(self._hardirq_stack_ptr()) + 8
        irq, sp = (top - _STACK, top), registers[7]
        task = self._gdb.word(top - 8) if irq[0] < sp <= top else sp
        return self._walk(Registers(registers[16], False, False, tuple(columns)), task, (irq,))

    def _hardirq_stack_ptr(self) -> int:
        base, known = self._gdb.word(self._address["__per_cpu_offset"]), self._address
        if "hardirq_stack_ptr" in known:
            return base + known["hardirq_stack_ptr"]
        return base + known["pcpu_hot"] + _HARDIRQ_STACK_PTR

    def _walk(self, start: Registers, sp: int, others: tuple[Area, ...]) -> dict[str, Any]:
        bounds = sp - sp % _STACK, sp - sp % _STACK + _STACK
        walk = Noted(self._code, self._gdb.read, bounds, others)
        walk.words = {}
        stack = walk.stack(start)
        print(stack.reason or "fine", *stack.frames, flush=True)
        self.asked |= {frame.pc - back for frame in stack.frames for back in (0, 1)}
        known = {str(n): f"{v:x}" for n, v in enumerate(start.columns) if v is not None}
        return {
            "pc": f"{start.pc:x}",
            "registers": known,
            "stacks": [[f"{each:x}" for each in area] for area in (bounds, *others)],
            "words": {f"{at:x}": f"{value:x}" for at, value in walk.words.items()},
        }


def told(folder: Path, serial: int) -> str:
    path = folder / f"serial{serial}"
    return path.read_text(errors="replace") if path.exists() else ""


def wait(folder: Path, serial: int, text: str) -> None:
    while text not in told(folder, serial):
        time.sleep(0.2)


def written(text: str) -> tuple[list[list[str]], list[list[str]]]:
    """Return what the kernel wrote: of tasks, and of itself; names with offsets."""
    tasks, rest = text.split("TASKS-END")
    of_tasks = [re.findall(r"\[<0>\] (\S+)/0x", part) for part in tasks.split("TASK ")[1:]]
    own = [re.findall(r" => ([^/\s]+)", part) for part in rest.split(_ONE_STACK)[1:]]
    return of_tasks, own


def collect(folder: Path, busybox: Path, vmlinuz: Path, vmlinux: Path) -> dict[str, Any]:
    """Return the stacks of one kernel, with what it wrote of each."""
    (folder / "initrd").write_bytes(cpio(busybox.read_bytes()))
    command = [
        "qemu-system-x86_64", "-m", "256", "-display", "none", "-no-reboot",
        "-kernel", str(vmlinuz), "-initrd", str(folder / "initrd"),
        "-append", "console=ttyS0,115200 nokaslr panic=-1 cryptomgr.notests=1",
        "-gdb", f"unix:{folder}/gdb,server=on,wait=off",
        "-serial", f"file:{folder}/serial0", "-serial", f"file:{folder}/serial1",
    ]  # fmt: skip
    with subprocess.Popen(command) as qemu:
        try:
            wait(folder, 1, "KALLSYMS-END")
            kernel = Kernel(folder, vmlinux)
            found = list(kernel.stacks())
        finally:
            qemu.terminate()
    of_tasks, own = written(told(folder, 0))
    stacks = []
    for other, texts in ((True, of_tasks), (False, own)):
        mine = [stack for is_other, stack in found if is_other == other]
        assert len(mine) == len(texts), (len(mine), len(texts))
        stacks += [{**stack, "kernel": text} for stack, text in zip(mine, texts, strict=True)]
    return fixture(kernel, stacks)


def fixture(kernel: Kernel, stacks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return stacks with the rows of the table and the names that they need."""
    table, symbols = kernel.table, kernel.symbols
    names = {name: symbols[name].address for name in _NAMES if name in symbols}
    template = names["ftrace_regs_caller"]
    asked = kernel.asked | {names[SWITCH] + at for at in range(64)}
    for tramp in kernel.trampolines:
        asked |= {at - tramp + template for at in kernel.asked if tramp <= at < tramp + _PAGE}
    rows: dict[str, str] = {}
    for address in asked:
        index = table._index(address)
        found = symbols.at(address)
        if index < 0 or found is None or address - found[0].address > 1 << 20:
            continue
        names[found[0].name] = found[0].address
        for at in (index, index + 1):
            rows[f"{int(table._ips[at]):x}"] = table._entries[at].tobytes().hex()
    return {
        "trampolines": kernel.trampolines,
        "rows": dict(sorted(rows.items())),
        "symbols": {name: f"{at:x}" for name, at in sorted(names.items())},
        "stacks": stacks,
    }


def main() -> int:
    busybox, *kernels = map(Path, sys.argv[1:])
    found = []
    for vmlinuz, vmlinux in zip(kernels[::2], kernels[1::2], strict=True):
        with tempfile.TemporaryDirectory() as name:
            found.append(collect(Path(name), busybox, vmlinuz, vmlinux))
    OUT.write_text(json.dumps(found, separators=(",", ":")) + "\n")
    print(f"{OUT}: {OUT.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
