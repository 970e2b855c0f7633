"""What ftrace has done to the kernel: its records, its ops and their trampolines.

A record (struct dyn_ftrace) is a site and what it does: bits whose names BTF has, above a count of
the ops that want it. Records are in pages in one list; ops are in a list that ends with
ftrace_list_end. Sources: include/linux/ftrace.h; kernel/trace/ftrace.c. Walks end where memory
cannot be read, and at bounds.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from emu.errors import BadSymbol, TextpokeError
from emu.guest.linux.structure import Structure
from emu.image.objects import Objects
from emu.image.types import Types

MAX_PAGES: Final = 1 << 12
MAX_RECORDS: Final = 1 << 20
MAX_OPS: Final = 1 << 12

_PAGE: Final = {"next": ("next",), "records": ("records",), "index": ("index",)}
_OPS: Final = {
    "func": ("func",),
    "next": ("next",),
    "flags": ("flags",),
    "trampoline": ("trampoline",),
    "size": ("trampoline_size",),
}
_BITS: Final = (1 << 32) - 1
_RECORD_FLAG, _OPS_FLAG = "FTRACE_FL_", "FTRACE_OPS_FL_"


@dataclass(frozen=True, slots=True)
class FtraceRecord:
    """A site of ftrace.

    Attributes:
        ip: its address.
        flags: names of its bits: "ENABLED", "TRAMP_EN"; FTRACE_FL_ is left out.
        count: how many ops want it.
    """

    ip: int
    flags: frozenset[str]
    count: int


@dataclass(frozen=True, slots=True)
class FtraceOps:
    """Somebody who traces functions (struct ftrace_ops).

    Attributes:
        func: what it has called.
        trampoline: first address of its trampoline, and behind the last; None without one.
        flags: names of its bits: "ENABLED", "DYNAMIC"; FTRACE_OPS_FL_ is left out.
        address: of its descriptor.
    """

    func: int
    trampoline: tuple[int, int] | None
    flags: frozenset[str]
    address: int


class Ftrace:
    """ftrace of a kernel.

    Raises:
        BadSymbol: the kernel has none.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects, self._read = objects, objects.read
        types = objects.types
        record = types.struct("dyn_ftrace")
        self._record = record.size, record.member("ip").offset, record.member("flags").offset
        self._page = Structure(types, "ftrace_page", _PAGE)
        self._ops = Structure(types, "ftrace_ops", _OPS)
        self._record_flags = _flags(types, _RECORD_FLAG)
        self._ops_flags = _flags(types, _OPS_FLAG)

    def records(self, *, enabled: bool = False) -> tuple[FtraceRecord, ...]:
        """Return the records in the order of the kernel; none before ftrace_init.

        enabled: only those that somebody wants.
        """
        found: list[FtraceRecord] = []
        names: dict[int, frozenset[str]] = {}
        lowest = min(self._record_flags, default=1)
        for data in self._pages():
            size, at_ip, at_flags = self._record
            for at in range(0, len(data) - size + 1, size):
                (flags,) = struct.unpack_from("<Q", data, at + at_flags)
                if enabled and not flags & lowest - 1:
                    continue
                if flags not in names:
                    names[flags] = _named(flags, self._record_flags)
                (ip,) = struct.unpack_from("<Q", data, at + at_ip)
                found.append(FtraceRecord(ip, names[flags], flags & lowest - 1))
                if len(found) >= MAX_RECORDS:
                    return tuple(found)
        return tuple(found)

    def ops(self) -> tuple[FtraceOps, ...]:
        """Return the ops that are registered, the last one first."""
        found: list[FtraceOps] = []
        end = self._objects.symbols.get("ftrace_list_end")
        try:
            at, seen = int(self._objects.place("ftrace_ops_list")), set[int]()
            while at and (end is None or at != end.address) and at not in seen:
                seen.add(at)
                values = self._ops.read(self._read, at)
                begin, size = values.number("trampoline"), values.number("size")
                found.append(
                    FtraceOps(
                        func=values.number("func") or 0,
                        trampoline=(begin, begin + size) if begin and size else None,
                        flags=_named(values.number("flags") or 0, self._ops_flags),
                        address=at,
                    )
                )
                at = values.number("next") or 0
                if len(found) >= MAX_OPS:
                    break
        except TextpokeError:
            pass  # the list cannot be read any further
        return tuple(found)

    def _pages(self) -> Iterator[bytes]:
        """Yield the records of each page."""
        try:
            at, seen = int(self._objects.place("ftrace_pages_start")), set[int]()
            while at and at not in seen and len(seen) < MAX_PAGES:
                seen.add(at)
                values = self._page.read(self._read, at)
                count = min(max(values.number("index") or 0, 0), MAX_RECORDS)
                yield self._read(values.number("records") or 0, count * self._record[0])
                at = values.number("next") or 0
        except TextpokeError:
            return  # as ops


def _flags(types: Types, prefix: str) -> dict[int, str]:
    """Return names by bit, without the prefix."""
    found = types.enumerator(f"{prefix}ENABLED")
    if found is None:
        raise BadSymbol(f"no {prefix}ENABLED: the kernel has no ftrace")
    names = found[0].names
    return {
        bit & _BITS: name.removeprefix(prefix)  # BTF before 6.0 has the highest as negative
        for bit, name in names
        if name.startswith(prefix)
    }


def _named(flags: int, names: dict[int, str]) -> frozenset[str]:
    return frozenset(name for bit, name in names.items() if flags & bit)
