"""A kernel made of a few structures: types, symbols, and memory that a test writes to."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from emu.errors import TextpokeError
from emu.image.btf import BtfReader
from emu.image.linux_variables import KernelReader
from emu.image.objects import Objects
from emu.image.symbols import Symbol, Symbols
from emu.image.types import Types
from tests.image.btf_builder import BtfBuilder

TASK, SIGNAL, RECORDS, OPS, MODULE = 0x10000, 0x20000, 0x30000, 0x40000, 0x50000
TASK_SIZE = 128
MEMBERS = {
    "__state": 0, "exit_state": 4, "pid": 8, "on_rq": 12, "comm": 16, "tasks": 32, "signal": 48,
    "thread_node": 56, "stack": 72, "nvcsw": 80, "nivcsw": 88,
}  # fmt: skip


def types() -> Types:
    """Return the types of such a kernel."""
    made = BtfBuilder()
    word, number = made.integer("long unsigned int", 8), made.integer("int", 4, 1)
    letter = made.integer("char", 1)
    name, module_name = made.array(letter, 16), made.array(letter, 56)
    head = made.count + 1
    pointer = head + 1
    made.struct("list_head", 16, [("next", pointer, 0), ("prev", pointer, 64)])
    made.pointer(head)
    kinds = {"comm": name, "tasks": head, "thread_node": head}
    words = ("signal", "stack", "nvcsw", "nivcsw")
    made.struct(
        "task_struct",
        TASK_SIZE,
        [
            (each, kinds.get(each, word if each in words else number), at * 8)
            for each, at in MEMBERS.items()
        ],
    )
    made.struct("signal_struct", 32, [("thread_head", head, 8 * 8)])
    made.struct("dyn_ftrace", 16, [("ip", word, 0), ("flags", word, 64)])
    page = [("next", word, 0), ("records", word, 64), ("index", number, 128)]
    made.struct("ftrace_page", 24, page)
    names = ("func", "next", "flags", "trampoline", "trampoline_size")
    ops = made.struct("ftrace_ops", 40, [(each, word, 64 * n) for n, each in enumerate(names)])
    made.pointer(ops)
    made.enum("", {"FTRACE_FL_ENABLED": 1 << 31, "FTRACE_FL_TRAMP": 1 << 28})
    made.enum("", {"FTRACE_OPS_FL_ENABLED": 1, "FTRACE_OPS_FL_DYNAMIC": 2})
    state = made.enum("module_state", {"MODULE_STATE_LIVE": 0, "MODULE_STATE_GOING": 2})
    layout = made.struct("module_layout", 16, [("base", word, 0), ("text_size", number, 96)])
    made.struct(
        "module",
        128,
        [
            ("state", state, 0),
            ("list", head, 64),
            ("name", module_name, 192),
            ("core_layout", layout, 640),
            ("kallsyms", word, 768),
        ],
    )
    made.struct("mod_kallsyms", 24, [("symtab", word, 0), ("num_symtab", number, 64),
                                     ("strtab", word, 128)])  # fmt: skip
    return Types(KernelReader(BtfReader("kernel", made.build())))


@dataclass
class Memory:
    """Memory by page; what was never written to cannot be read."""

    pages: dict[int, bytearray] = field(default_factory=dict)

    def write(self, address: int, form: str, *values: object) -> None:
        for at, byte in enumerate(struct.pack(f"<{form}", *values), address):
            self.pages.setdefault(at // 4096, bytearray(4096))[at % 4096] = byte

    def read(self, address: int, size: int) -> bytes:
        try:
            return bytes(self.pages[at // 4096][at % 4096] for at in range(address, address + size))
        except KeyError:
            raise TextpokeError(f"{address:#x} is not mapped") from None


@dataclass
class Kernel:
    """What of an image the guest's parts ask for."""

    places: Mapping[str, int]
    memory: Memory = field(default_factory=Memory)
    types: Types = field(default_factory=types)
    name: str = "kernel"

    @property
    def symbols(self) -> Symbols:
        return Symbols(Symbol(name, at, 0x4000, "object") for name, at in self.places.items())

    @property
    def objects(self) -> Objects:
        return Objects(self.symbols, self.types, self.memory.read)

    def task(self, number: int, **members: object) -> int:
        """Write a task; returns its address. Its lists lead to itself unless said otherwise."""
        at = TASK + number * TASK_SIZE
        circle = {"tasks": at + MEMBERS["tasks"], "signal": SIGNAL + number * 32}
        values = {"comm": f"task{number}", "pid": number, **circle, **members}
        self.memory.write(at, f"{TASK_SIZE}x")
        node = at + MEMBERS["thread_node"]
        self.memory.write(SIGNAL + number * 32 + 8, "Q", node)
        self.memory.write(node, "Q", SIGNAL + number * 32 + 8)
        for name, value in values.items():
            form = "Q" if name in ("tasks", "signal", "thread_node", "stack", "nvcsw") else "i"
            if isinstance(value, str):
                self.memory.write(at + MEMBERS[name], "16s", value.encode())
            else:
                self.memory.write(at + MEMBERS[name], form, value)
        return at
