"""The int3 handler as memory has it: what it knows, and what it would act out at a site.

It reads the descriptors that patcher and handler share (kernels/include/poke.h), where they lie
and nowhere else.
"""

import struct
from dataclasses import dataclass

from emu.errors import BadImage
from emu.guest.guest import Guest
from emu.image.objects import Object
from emu.machine.unicorn_layout import IDT, SEGMENT_BASE

_BREAKPOINT, _GATE = 3, 16
_MOST = 256  # entries: TP_VEC_MAX
_JUMPS = (0xE9, 0xEB)


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


class Handler:
    """Where the descriptors of a kernel lie. Found once, as an image does not change.

    vector: the interrupt that asks a core to serialise. pending: the word of core 0 that says so,
    followed by those of the others. Raises TextpokeError where the kernel has
    no such descriptors, or memory is not mapped yet.
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
        self._stext, self.pending = symbols["_stext"].address, symbols["sync_core_pending"].address
        self.vector = int(guest.objects["sync_core_vector"])
        self._refs = descriptor.address_of_("refs")
        self._count = descriptor.address_of_("nr_entries")
        self._table = entry.address_
        self._size = entry.type_.size
        members = ("rel_addr", "disp", "opcode")
        self._at = {name: entry.address_of_(name) - self._table for name in members}

    def table(self, guest: Guest) -> Table:
        """Return what memory holds now. Raises TextpokeError where nothing is mapped."""
        refs, count = _word(guest, self._refs), min(_word(guest, self._count), _MOST)
        data = guest.read(self._table, count * self._size) if refs and count > 0 else b""
        acts = []
        for at in range(0, len(data), self._size):
            rel_addr, disp = (
                struct.unpack_from("<i", data, at + self._at[name])[0]
                for name in ("rel_addr", "disp")
            )
            acts.append((rel_addr, Act(data[at + self._at["opcode"]], disp)))
        return Table(refs, self._stext, tuple(acts))


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
