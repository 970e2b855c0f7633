"""Kprobes: where they are, and how the kernel meets them.

All are in `kprobe_table`, a hash by address. Source: include/linux/kprobes.h; kernel/kprobes.c.
"""

from dataclasses import dataclass
from typing import Final

from emu.errors import TextpokeError
from emu.helpers.hlist import hlist_for_each_entry
from emu.helpers.list import list_first_entry
from emu.image.c_string import string_at
from emu.image.object import Object
from emu.image.objects import Objects

MAX_KPROBES: Final = 1 << 14

_AGGREGATE: Final = "aggr_pre_handler"
"""The handler of an entry for all kprobes at an address, and of one that was optimized."""

_FLAGS: Final = {1: "GONE", 2: "DISABLED", 4: "OPTIMIZED", 8: "FTRACE", 16: "ON_FUNC_ENTRY"}
"""KPROBE_FLAG_ of include/linux/kprobes.h: macros, so debug information does not tell."""


@dataclass(frozen=True, slots=True)
class Kprobe:
    """A kprobe (struct kprobe).

    Attributes:
        address: of the instruction it is at.
        symbol, offset: as whoever made it has said; "" if by address.
        flags: "OPTIMIZED": a jump is in its place; "FTRACE": a site of ftrace is used.
        descriptor: its own address.
    """

    address: int
    symbol: str
    offset: int
    flags: frozenset[str]
    descriptor: int


class Kprobes:
    """The kprobes of a kernel. objects: of it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def all(self) -> tuple[Kprobe, ...]:
        """Return the kprobes by ascending address; none if there are none."""
        found: list[Kprobe] = []
        try:
            table = self._objects.place("kprobe_table")
            for head in table:
                found.extend(self._of(head, MAX_KPROBES - len(found)))
        except (TextpokeError, TypeError):
            pass
        return tuple(sorted(found, key=lambda each: each.address))

    def _of(self, head: object, most: int) -> list[Kprobe]:
        found: list[Kprobe] = []
        assert isinstance(head, Object)
        try:
            for entry in hlist_for_each_entry("struct kprobe", head, "hlist"):
                if len(found) >= most:
                    break
                found.append(self._made(entry))
        except TextpokeError:
            pass  # the list cannot be read any further
        return found

    def _made(self, entry: Object) -> Kprobe:
        flags, given = int(entry.member_("flags")), self._given(entry)
        symbol = int(given.member_("symbol_name"))
        return Kprobe(
            address=int(entry.member_("addr")),
            symbol=string_at(self._objects.read, symbol) if symbol else "",
            offset=int(given.member_("offset")),
            flags=frozenset(name for bit, name in _FLAGS.items() if flags & bit),
            descriptor=int(entry),
        )

    def _given(self, entry: Object) -> Object:
        """Return what somebody has registered: the kernel's own entry stands for several."""
        handler = self._objects.symbols.get(_AGGREGATE)
        if handler is None or int(entry.member_("pre_handler")) != handler.address:
            return entry
        head = entry.member_("list")
        assert isinstance(head, Object)
        return list_first_entry("struct kprobe", head, "list") or entry
