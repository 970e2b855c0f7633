"""The int3 handler as memory has it: what it knows, and what it would act out at a site.

It reads the descriptors that who patches and the handler share, where they lie and nowhere else:
bp_desc and struct text_poke_loc of Linux (arch/x86/kernel/alternative.c), which have the same names
in kernels/include/poke.h.
"""

import struct
from dataclasses import dataclass

from emu.errors import BadImage
from emu.guest.guest import Guest
from emu.image.c_types import StructType
from emu.image.objects import Object
from emu.image.sites import SITE_SIZE
from emu.machine.unicorn_layout import IDT, SEGMENT_BASE

_BREAKPOINT, _GATE = 3, 16
_MOST = 256  # entries: TP_VEC_MAX
_JUMPS = (0xE9, 0xEB)
_JCC = b"\x0f"  # left out of the text of a conditional jump with a 32-bit displacement


@dataclass(frozen=True, slots=True)
class Act:
    """What the handler does at a site: an opcode and a displacement, see poke.h."""

    opcode: int
    disp: int

    @property
    def words(self) -> str:
        """The instruction that it acts out, in words."""
        if self.opcode in _JUMPS:
            return "jump" if self.disp else "nop"
        return {0xE8: "call", 0xC3: "return"}.get(self.opcode, "conditional jump")


@dataclass(frozen=True, slots=True)
class Table:
    """The descriptors at a moment. acts: (offset of the site from _stext, what to do) of each.

    refs: 0: the handler looks at nothing.
    """

    refs: int
    stext: int
    acts: tuple[tuple[int, Act], ...]

    def find(self, site: int) -> Act | None:
        """Return what is found for a site, by halving as the handler does; None: nothing."""
        begin, count, wanted = 0, len(self.acts), site - self.stext
        while self.refs and count > 0:
            middle = begin + (count >> 1)
            found, act = self.acts[middle]
            if found == wanted:
                return act
            if wanted > found:
                begin, count = middle + 1, count - 1
            count >>= 1
        return None


@dataclass(frozen=True, slots=True)
class Poke:
    """What a kernel is about to store at a site (struct text_poke_loc)."""

    site: int
    new: bytes


class Handler:
    """Where the descriptors of a kernel lie. Found once, as an image does not change.

    pending: the word of core 0 that says that it has yet to serialise, followed by those of the
    others; None where a kernel has none. Raises TextpokeError where the kernel has no such
    descriptors, or memory is not mapped yet.
    """

    def __init__(self, guest: Guest) -> None:
        descriptor, vector = guest.objects["bp_desc"], guest.objects["tp_vec"]
        entry = vector[0] if isinstance(vector, Object) else None
        if not (
            isinstance(descriptor, Object)
            and isinstance(vector, Object)
            and isinstance(entry, Object)
        ):
            raise BadImage(f"{guest.image.name}: bp_desc or tp_vec is not as poke.h has it")
        symbols = guest.image.symbols
        pending = symbols.get("sync_core_pending")
        self._stext, self.pending = symbols["_stext"].address, pending and pending.address
        self._refs = descriptor.address_of_("refs")
        self._count = descriptor.address_of_("nr_entries")
        self._table = entry.address_
        self._size = entry.type_.size
        self._at = {name: entry.address_of_(name) - self._table for name in _names(entry)}
        moves = "vec" in _names(descriptor)  # the table may be another: one on a stack
        self._pointer = descriptor.address_of_("vec") if moves else None

    def table(self, guest: Guest) -> Table:
        """Return what memory holds now. Raises TextpokeError where nothing is mapped."""
        refs, count = _word(guest, self._refs), min(_word(guest, self._count), _MOST)
        table = self._table
        if self._pointer is not None:
            table = int.from_bytes(guest.read(self._pointer, 8), "little")
        data = guest.read(table, count * self._size) if refs and count > 0 else b""
        acts = []
        for at in range(0, len(data), self._size):
            rel_addr, disp = (
                struct.unpack_from("<i", data, at + self._at[name])[0]
                for name in ("rel_addr", "disp")
            )
            acts.append((rel_addr, Act(data[at + self._at["opcode"]], disp)))
        return Table(refs, self._stext, tuple(acts))

    def pokes(self, guest: Guest, address: int, count: int) -> tuple[Poke, ...]:
        """Return what entries of such a table say; none if they do not, or it cannot be so long.

        Raises TextpokeError where nothing is mapped.
        """
        if not (0 < count <= _MOST and {"rel_addr", "text"} <= set(self._at)):
            return ()
        data = guest.read(address, count * self._size)
        found = []
        for at in range(0, len(data), self._size):
            (relative,) = struct.unpack_from("<i", data, at + self._at["rel_addr"])
            size = data[at + self._at["len"]] if "len" in self._at else SITE_SIZE
            text = data[at + self._at["text"] :][: min(size, SITE_SIZE)]
            found.append(Poke(self._stext + relative, _JCC + text if size > SITE_SIZE else text))
        return tuple(found)


def _names(value: Object) -> tuple[str, ...]:
    return value.type_.names() if isinstance(value.type_, StructType) else ()


def gate(guest: Guest, core: int) -> int | None:
    """Return where a core goes when it meets an int3, as its IDT says; None if there is no gate.

    Source: SDM volume 3A, figure "64-Bit IDT Gate Descriptors".
    """
    base = guest.machine.register(core, IDT + SEGMENT_BASE)
    low, _, _, _, middle, high = struct.unpack(
        "<HHBBHI", guest.read(base + _BREAKPOINT * _GATE, 12)
    )
    return low | middle << 16 | high << 32 or None


def _word(guest: Guest, address: int) -> int:
    return int.from_bytes(guest.read(address, 4), "little", signed=True)
