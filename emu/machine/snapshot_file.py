r"""The file of a snapshot: everything that is needed to go on, believed in nothing.

    textpoke snapshot 1\n
    {"image": {"name": "toy.elf", "sha256": "..."},
     "machine": {"cores": 4, "ram_mib": 64, "command_line": "load", "model": "sdm",
                 "clock": "counted"},
     "registers": 891, "tables": {"core": 8, ...}, "pages": 812}\n         (one line)
    zlib: scalars; registers of each core; tables; pages, each behind its number

Numbers are little-endian, int64 and for the numbers of pages uint32; a page is as in `pages`, and
blank ones are left out. "registers" is the bytes of a core's, which are architectural only: no
address of a process is ever read from a file. "tables" are numbers of rows. Nothing is unpacked
beyond what the header announces, and the header announces no more than RAM. What the numbers
mean is checked in `snapshot_check`.
"""

import json
import stat
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from emu import whole_file
from emu.errors import BadSchedule, BadSnapshot
from emu.machine import pages, registers, snapshot_check
from emu.machine import state as st
from emu.machine.boot import MAX_COMMAND_LINE, MAX_RAM, MIN_RAM
from emu.machine.setup import Setup
from emu.machine.snapshot import Snapshot
from emu.machine.text import MODELS
from emu.moves.json_value import Value
from emu.moves.move import CLOCKS

VERSION: Final = 1

_MAGIC = b"textpoke snapshot "
_MAX_MAGIC, _MAX_HEADER = 40, 1 << 16
_PIECE = 1 << 16
_NUMBER = struct.Struct("<I")
_LEVEL = 1  # of zlib: the fastest


def write(snapshot: Snapshot, path: str | Path) -> None:
    """Write a snapshot to `path`, whole or not at all; BadSnapshot if that fails."""
    whole_file.write(path, _parts(snapshot), "a snapshot", BadSnapshot)


def _parts(snapshot: Snapshot) -> Iterator[bytes]:
    setup = snapshot.setup
    used = [(at, page) for at, page in enumerate(_flat(snapshot)) if page != pages.BLANK]
    header = {
        "image": {"name": setup.image, "sha256": setup.sha256},
        "machine": {
            "cores": setup.cores,
            "ram_mib": setup.ram_mib,
            "command_line": setup.command_line,
            "model": setup.model,
            "clock": setup.clock,
        },
        "registers": registers.CANONICAL_SIZE,
        "tables": {name: len(snapshot.tables[name]) for name in st.KEPT_TABLES},
        "pages": len(used),
    }
    yield _MAGIC + b"%d\n" % VERSION + json.dumps(header).encode() + b"\n"
    deflate = zlib.compressobj(_LEVEL)
    yield deflate.compress(_little(snapshot.scalars))
    yield deflate.compress(b"".join(snapshot.registers))
    for name in st.KEPT_TABLES:
        yield deflate.compress(_little(snapshot.tables[name]))
    for at, page in used:
        yield deflate.compress(_NUMBER.pack(at) + page)
    yield deflate.flush()


def _flat(snapshot: Snapshot) -> Iterator[bytes]:
    for chunk in snapshot.ram:
        yield from chunk


def _little(rows: NDArray[np.int64] | NDArray[np.uint8]) -> bytes:
    return rows.astype(rows.dtype.newbyteorder("<")).tobytes()


def read(path: str | Path) -> Snapshot:
    """Return the snapshot in a file; BadSnapshot if there is none that can be trusted."""
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadSnapshot(f"{path}: not a file")
        with path.open("rb") as file:
            return parse(file, str(path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise BadSnapshot(f"{path}: {reason or 'cannot be read'}") from None


def parse(file: IO[bytes], name: str) -> Snapshot:
    """Return the snapshot in an open file; BadSnapshot as in `read`. name: for messages."""
    _check_magic(file.readline(_MAX_MAGIC), name)
    try:
        setup, rows, page_count = _header(_json(file.readline(_MAX_HEADER), name))
    except BadSchedule as error:  # what checks the values of JSON files is made for schedules
        raise BadSnapshot(str(error)) from None
    body = _Body(file, name)
    scalars = _numbers(body.take(8 * st.M_TABLES))
    cores = tuple(body.take(registers.CANONICAL_SIZE) for _ in range(setup.cores))
    tables = {table: _table(body, table, count) for table, count in rows.items()}
    ram = _ram(body, setup, page_count)
    body.end()
    snapshot = Snapshot(setup, cores, scalars, tables, ram)
    wrong = snapshot_check.wrong(snapshot)
    if wrong:
        raise BadSnapshot(f"{name}: damaged: {wrong}")
    return snapshot


def _check_magic(line: bytes, name: str) -> None:
    number = line.removeprefix(_MAGIC).strip()
    if not line.startswith(_MAGIC) or not line.endswith(b"\n") or not number.isdigit():
        raise BadSnapshot(f"{name}: not a snapshot")
    if int(number) != VERSION:
        raise BadSnapshot(
            f"{name}: a snapshot of format {int(number)}, this textpoke reads {VERSION}: "
            "use the one that wrote it"
        )


def _json(line: bytes, name: str) -> Value:
    try:
        if not line.endswith(b"\n"):
            raise BadSnapshot(f"{name}: cut off: copy or save it again")
        return Value(json.loads(line), name)
    except (ValueError, RecursionError):
        raise BadSnapshot(f"{name}: damaged: its second line is not JSON") from None


def _header(value: Value) -> tuple[Setup, dict[str, int], int]:
    """Return the setup, the rows of each table, and how many pages follow."""
    fields = value.fields(("image", "machine", "registers", "tables", "pages"))
    image = fields["image"].fields(("name", "sha256"))
    machine = fields["machine"].fields(("cores", "ram_mib", "command_line", "model", "clock"))
    ram_mib = machine["ram_mib"].number(MIN_RAM >> 20, MAX_RAM >> 20)
    setup = Setup(
        image["name"].label(255),
        image["sha256"].hexadecimal(32, 32).hex(),
        machine["cores"].number(1, st.MAX_CORES),
        ram_mib,
        machine["command_line"].text(MAX_COMMAND_LINE - 1),
        machine["model"].word(MODELS),
        machine["clock"].word(CLOCKS),
    )
    fields["registers"].number(registers.CANONICAL_SIZE, registers.CANONICAL_SIZE)
    rows = {}
    for name, count in fields["tables"].fields(st.KEPT_TABLES).items():
        most = len(_template(name))
        rows[name] = count.number(0 if name in st.ROWS_IN_USE else most, most)
    return setup, rows, fields["pages"].number(0, (ram_mib << 20) // st.PAGE)


@cache
def _empty() -> st.State:
    return st.allocate(1, np.zeros(st.PAGE, np.uint8))


def _template(name: str) -> NDArray[np.int64] | NDArray[np.uint8]:
    """Return a table of the shape and kind that every machine has."""
    table: NDArray[np.int64] | NDArray[np.uint8] = getattr(_empty(), name)
    return table


class _Body:
    """The compressed part of a file, taken in pieces of known size."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self.name = file, name
        self._inflate = zlib.decompressobj()
        self._packed = b""

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        pieces, missing = [], size
        while missing:
            piece = self._unpack(missing)
            if not piece and not self._fill():
                raise BadSnapshot(f"{self.name}: cut off: copy or save it again")
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def end(self) -> None:
        """Raise BadSnapshot unless everything was taken."""
        surplus = self._unpack(1)
        while not surplus and not self._inflate.eof and self._fill():
            surplus = self._unpack(1)
        if not surplus and not self._inflate.eof:
            raise BadSnapshot(f"{self.name}: cut off: copy or save it again")
        if surplus or self._inflate.unused_data or self._file.read(1):
            raise BadSnapshot(f"{self.name}: damaged: it goes on behind its end")

    def _fill(self) -> bool:
        """Read more to unpack; returns whether there is any."""
        if not self._packed and not self._inflate.eof:
            self._packed = self._file.read(_PIECE)
        return bool(self._packed)

    def _unpack(self, most: int) -> bytes:
        try:
            piece = self._inflate.decompress(self._packed, most)
        except zlib.error:
            raise BadSnapshot(f"{self.name}: damaged: it does not unpack") from None
        self._packed = self._inflate.unconsumed_tail
        return piece


def _numbers(data: bytes) -> NDArray[np.int64]:
    return np.frombuffer(data, "<i8").astype(np.int64, copy=False)


def _table(body: _Body, name: str, rows: int) -> NDArray[np.int64] | NDArray[np.uint8]:
    template = _template(name)
    shape = (rows, *template.shape[1:])
    data = body.take(int(np.prod(shape)) * template.itemsize)
    flat = _numbers(data) if template.itemsize == 8 else np.frombuffer(data, np.uint8)
    return flat.reshape(shape)


def _ram(body: _Body, setup: Setup, count: int) -> pages.Ram:
    chunks = list(pages.blank(setup.ram_mib))
    known: dict[bytes, bytes] = {}  # equal pages need to be there once
    last, number, chunk = -1, -1, [pages.BLANK] * pages.CHUNK
    for page, content in _pages(body, count):
        if not last < page < len(chunks) * pages.CHUNK or content == pages.BLANK:
            raise BadSnapshot(f"{body.name}: damaged: its pages are not in order")
        last = page
        if page // pages.CHUNK != number:
            if number >= 0:
                chunks[number] = tuple(chunk)
            number, chunk = page // pages.CHUNK, [pages.BLANK] * pages.CHUNK
        chunk[page % pages.CHUNK] = known.setdefault(content, content)
    if number >= 0:
        chunks[number] = tuple(chunk)
    return tuple(chunks)


def _pages(body: _Body, count: int) -> Iterator[tuple[int, bytes]]:
    """Yield numbers and contents, taken many at a time: a kernel that has booted has thousands."""
    size = _NUMBER.size + pages.PAGE_BYTES
    for first in range(0, count, pages.CHUNK):
        data = body.take(size * min(pages.CHUNK, count - first))
        for at in range(0, len(data), size):
            (page,) = _NUMBER.unpack_from(data, at)
            yield page, data[at + _NUMBER.size : at + size]
