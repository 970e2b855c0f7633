"""What is fuzzed: the readers of files, and files to begin with.

A reader may refuse whatever it is given, by its own error; any other exception is a defect, and so
is taking ten seconds or two gigabytes.
"""

import contextlib
import functools
import io
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emu.errors import BadImage, BadSchedule, BadSnapshot, BadSymbol, TextpokeError
from emu.image import deb, initramfs
from emu.image.btf import BtfReader
from emu.image.call_frames import CallFrames
from emu.image.dwarf import DwarfReader
from emu.image.elf import ElfImage
from emu.image.frame_expression import evaluate
from emu.image.frame_rules import Rules
from emu.image.lines import Lines
from emu.image.linux_image import LinuxImage
from emu.image.object_file import ObjectFile
from emu.image.objects import Object, Objects
from emu.image.objects import Reader as Memory
from emu.image.orc import OrcTable
from emu.image.prototype import prototypes
from emu.image.symbols import Symbols
from emu.image.types import Types
from emu.machine import boot, snapshot_file
from emu.moves import schedule_file
from emu.moves.schedule import Schedule
from emu.patch.link import link
from emu.patch.room import Room
from tests.image import (
    elf_builder,
    frame_builder,
    kallsyms_builder,
    linux_builder,
    orc_builder,
)

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus"

_RAM = np.zeros(boot.MIN_RAM, np.uint8)
_LINUX_RAM = np.zeros(8 << 20, np.uint8)


@dataclass(frozen=True)
class Reader:
    """One reader. read: raises only TextpokeError. seeds: valid files, small ones."""

    name: str
    read: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]

    def corpus(self) -> list[Path]:
        """Return the files that once went wrong, or lead to rare places."""
        return sorted((CORPUS / self.name).glob("*"))


def _elf(data: bytes) -> None:
    """Read an image and all that is found in it but types; place it in memory."""
    try:
        image = ElfImage("fuzzed", data)
    except BadImage:
        return
    for use in (
        lambda: boot.load(image.boot_image, _RAM, "words", 4),
        lambda: image.symbols.describe(image.boot_image.entry),
        lambda: len(image.sites),
        lambda: image.read_virtual(image.boot_image.entry, 16),
    ):
        with contextlib.suppress(TextpokeError):
            use()


def _frames(data: bytes) -> None:
    """Read call frame information of both kinds, and compute all that is said for a few places."""
    for sections in ((data, b""), (b"", data)):
        with contextlib.suppress(BadImage):
            frames = CallFrames("fuzzed", *sections, frame_builder.ADDRESS)
            for address in frames.begins()[:50]:
                for offset in (0, 1, 7, 100):
                    with contextlib.suppress(BadImage):
                        _compute(frames.at(address + offset))


def _compute(rules: Rules | None) -> None:
    for rule in () if rules is None else (rules.cfa, *rules.registers.values()):
        with contextlib.suppress(ValueError):
            evaluate(rule.code, lambda column: column, lambda at, _: at >> 1, (1, 2))


def _frame_sections() -> list[bytes]:
    return [frame_builder.every_rule(), frame_builder.eh_frame()]


def _deb(data: bytes) -> None:
    """Find the kernel in a package."""
    with contextlib.suppress(BadImage):
        deb.kernel("fuzzed", data, 1 << 20)


@functools.cache
def _debs() -> list[bytes]:
    return [linux_builder.deb(b"kernel" * 99, form) for form in (None, "gzip", "xz", "zstd")]


def _bzimage(data: bytes) -> None:
    """Read a kernel, and place it in memory with and without its decompressor."""
    with contextlib.suppress(BadImage):
        image = LinuxImage("fuzzed", data)
        for bzimage in (False, True):
            boot.load(image.with_initramfs(b"", bzimage=bzimage).boot_image, _LINUX_RAM, "", 1)


@functools.cache
def _bzimages() -> list[bytes]:
    return [linux_builder.bzimage(form=form) for form in linux_builder.FORMATS]


def _cpio(data: bytes) -> None:
    """Look at what somebody brings as an initramfs."""
    with contextlib.suppress(BadImage):
        initramfs.check("fuzzed", data)


@functools.cache
def _initramfses() -> list[bytes]:
    ours = initramfs.build(b"init", b"script")
    packed = [linux_builder.pack(ours, form) for form in linux_builder.FORMATS]
    return [ours + bytes(8) + each for each in packed]


def _orc(data: bytes) -> None:
    """Read ORC tables, and compute what they say for a few places; behind the count of rows."""
    count, at = int.from_bytes(data[:2], "little"), 2
    ips, entries = data[at : at + 4 * count], data[at + 4 * count :]
    with contextlib.suppress(BadImage):
        table = OrcTable("fuzzed", ips, orc_builder.PLACE, entries)
        for address, rules in table.rows(0, (1 << 64) - 1):
            _compute(rules)
            _compute(table.at(address - 1))


def _orc_tables() -> list[bytes]:
    seeds = []
    for layout in orc_builder.LAYOUTS:
        kinds = ("call", "regs", "regs partial", "end", "undefined")
        rows = [orc_builder.entry(kind, layout=layout) for kind in kinds]
        rows += [orc_builder.entry(sp=(n, 8), bp=(4, -16), layout=layout) for n in range(16)]
        ips, entries = orc_builder.tables(
            (elf_builder.VIRTUAL + 8 * n, row) for n, row in enumerate(rows)
        )
        seeds.append(len(rows).to_bytes(2, "little") + ips + entries)
    return seeds


def _schedule(data: bytes) -> None:
    with contextlib.suppress(BadSchedule):
        Schedule.from_json(schedule_file.parse(data, "fuzzed"))


def _snapshot(data: bytes) -> None:
    """Read a snapshot of which the compressed part is given as it is before it is compressed.

    A fuzzer that has to get past a checksum finds nothing behind it.
    """
    magic, _, rest = data.partition(b"\n")
    header, _, body = rest.partition(b"\n")
    whole = magic + b"\n" + header + b"\n" + zlib.compress(body, 1)
    with contextlib.suppress(BadSnapshot):
        snapshot_file.parse(io.BytesIO(whole), "fuzzed")


@functools.cache
def _toy() -> ElfImage:
    return ElfImage.read(ROOT / "kernels" / "toy" / "toy.elf")


def _object(data: bytes) -> None:
    """Read an object, link it into the toy kernel, and read its debug information."""
    symbols = _toy().symbols
    text, variables = (
        Room(name, symbols[name].address, symbols[f"{name}_end"].address)
        for name in ("poke_arena", "poke_data")
    )
    with contextlib.suppress(TextpokeError):
        (placed,) = link([ObjectFile("fuzzed.c", data)], _toy(), text, variables)[0]
        with contextlib.suppress(BadImage):
            placed.lines.at(placed.text[0])
        prototypes(placed.name, placed.sections, ["cmdline_proc_show"])


def _objects() -> list[bytes]:
    return [(ROOT / "tests" / "image" / "fix.elf").read_bytes()]


_SECTIONS = (".debug_abbrev", ".debug_info", ".debug_str", ".debug_line", ".debug_line_str")


def _dwarf(data: bytes) -> None:
    """Read debug information, everything in it, and objects of its types.

    The sections lie behind one another, behind their five lengths; memory is the file again.
    """
    lengths, at = struct.unpack_from("<5I", data.ljust(20, b"\0")), 20
    sections = {}
    for name, length in zip(_SECTIONS, lengths, strict=True):
        sections[name] = data[at : at + length]
        at += len(sections[name])

    def read(address: int, size: int) -> bytes:
        start = address % (len(data) or 1)
        return (data[start:] + bytes(size))[:size]

    with contextlib.suppress(BadImage):
        lines = Lines("fuzzed", sections)
        lines.at(0x200004)
        with contextlib.suppress(BadSymbol):
            lines.addresses("layout.c:18")
    with contextlib.suppress(BadImage):
        _use_all(Types(DwarfReader("fuzzed", sections)), read)


def _use_all(types: Types, read: Memory) -> None:
    """Use everything in debug information, and objects of its types."""
    objects = Objects(Symbols(()), types, read)
    for name in (*types.names(), "unsigned long", "struct list *[3]"):
        with contextlib.suppress(TextpokeError):
            found = objects.at(name, 0x1000)
            assert str(found.type_)
            _use(found)
    for name in types.variable_names():
        for variable in types.variables(name):
            with contextlib.suppress(TextpokeError):
                _use(objects.at(variable.type, 0x1000))
    for name in types.function_names():
        with contextlib.suppress(TextpokeError):
            assert types.function(name).called


def _use(found: Object) -> None:
    assert found.format_()
    with contextlib.suppress(TypeError):  # void has no value
        found.value_()


def _btf(data: bytes) -> None:
    """Read a section of BTF as a kernel's, and as that of a module of this kernel; use it all."""

    def read(address: int, size: int) -> bytes:
        start = address % (len(data) or 1)
        return (data[start:] + bytes(size))[:size]

    with contextlib.suppress(BadImage):
        kernel = BtfReader("fuzzed", data)
        _use_all(Types(kernel, {"init_task": "struct list *"}), read)
        _use_all(Types(BtfReader("module", data, kernel)), read)


def _kallsyms(data: bytes) -> None:
    """Read a kernel that has these bytes, and all its symbols."""
    code = elf_builder.text() + data
    memsz = len(code) + kallsyms_builder.ROOM
    image = ElfImage("fuzzed", elf_builder.Builder(code=code, memsz=memsz, symbols=()).build())
    for symbol in image.symbols:
        assert image.symbols.at(symbol.address + symbol.size // 2) or symbol.kind == "percpu"
        assert image.symbols[symbol.name].name == symbol.name


@functools.cache
def _all_kallsyms() -> list[bytes]:
    orders: tuple[tuple[kallsyms_builder.Order, kallsyms_builder.Form], ...] = (
        ("6.1", "percpu"),
        ("6.2", "absolute"),
        ("6.4", "place"),
    )
    start = elf_builder.VIRTUAL + len(elf_builder.text())
    rows = [(8 * row, f"A{row}") for row in range(3)]
    rows += [(elf_builder.VIRTUAL + 8 * row, f"{'tTdWr'[row % 5]}name_{row}") for row in range(260)]
    return [
        kallsyms_builder.tables(rows[3 * (form != "percpu") :], order, form, start)
        for order, form in orders
    ]


def _btfs() -> list[bytes]:
    return [(ROOT / "tests" / "image" / "layout.btf").read_bytes()]


def _dwarves() -> list[bytes]:
    seeds = []
    for name in ("layout4.elf", "layout5.elf"):
        image = ElfImage.read(ROOT / "tests" / "image" / name)
        parts = [image._debug_sections().get(section, b"") for section in _SECTIONS]
        seeds.append(struct.pack("<5I", *map(len, parts)) + b"".join(parts))
    return seeds


def _snapshots() -> list[bytes]:
    from tests.machine.guest_builder import build  # noqa: PLC0415 -- the fuzzer needs no machine

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot"
        snapshot_file.write(build("hlt", "hlt").machine(ram_mib=4).save(), path)
        magic, header, body = path.read_bytes().split(b"\n", 2)
    return [b"\n".join((magic, header, zlib.decompress(body)))]


def _elves() -> list[bytes]:
    return [elf_builder.build(), (ROOT / "tests" / "image" / "layout4.elf").read_bytes()]


def _schedules() -> list[bytes]:
    files = sorted(
        (ROOT / "resources" / "schedules").glob("*.json"), key=lambda at: at.stat().st_size
    )
    return [file.read_bytes() for file in files[:4]]


READERS = {
    reader.name: reader
    for reader in (
        Reader("elf", _elf, _elves),
        Reader("dwarf", _dwarf, _dwarves),
        Reader("btf", _btf, _btfs),
        Reader("kallsyms", _kallsyms, _all_kallsyms),
        Reader("object", _object, _objects),
        Reader("frames", _frames, _frame_sections),
        Reader("deb", _deb, _debs),
        Reader("bzimage", _bzimage, _bzimages),
        Reader("cpio", _cpio, _initramfses),
        Reader("orc", _orc, _orc_tables),
        Reader("schedule", _schedule, _schedules),
        Reader("snapshot", _snapshot, _snapshots),
    )
}
