"""Rewriting: which sites a batch of a kernel that patches itself changes, and from what to what.

While it is under way, the kernel's own list says what it is about to store (struct text_poke_loc);
afterwards its stores do. What stood there before is what they replaced.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emu.errors import TextpokeError
from emu.guest.int3_handler import Handler
from emu.image.disasm import decode_one
from emu.image.sites import SITE_SIZE
from emu.moves.plan import PHASES, Change
from emu.scene.batches import Batch, Batches, Stored

if TYPE_CHECKING:
    from emu.guest.guest import Guest

_INT3: Final = 0xCC
_MOST_STORES: Final = 1 << 13


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What a batch does.

    Attributes:
        batch: it.
        changes: the sites that are known, in its order.
        stored: how many bytes of text its present phase has changed.
    """

    batch: Batch
    changes: tuple[Change, ...]
    stored: int

    @property
    def phase(self) -> str:
        """The phase it is in."""
        return self.batch.phase


def rewriting(guest: "Guest", handler: Handler, batches: Batches) -> Rewriting | None:
    """Return what is being done to text at a guest's moment, or was last; None: nothing yet."""
    time = guest.machine.now
    batch = batches.at(time)
    if batch is None:
        return None
    stores = batches.stores(batch, time, _MOST_STORES)
    begun = batch.phases[-1][1]
    changes = () if batch.over else tuple(_announced(guest, handler, batch, stores))
    changes = changes or tuple(_stored(guest, stores))
    stored = sum(
        old != new
        for each in stores
        if each.time >= begun
        for old, new in zip(each.old, each.new, strict=True)
    )
    return Rewriting(batch, changes, stored)


def _announced(
    guest: "Guest", handler: Handler, batch: Batch, stores: Sequence[Stored]
) -> Iterator[Change]:
    """Yield what the kernel's list says."""
    try:
        pokes = handler.pokes(guest, batch.descriptor, batch.count)
    except TextpokeError:
        return  # it was on a stack that is no more
    replaced = _replaced(stores)
    for poke in pokes:
        try:
            memory = guest.read(poke.site, len(poke.new))
            first = guest.physical(poke.site)
        except TextpokeError:
            continue
        yield Change(poke.site, _before(memory, first, replaced), poke.new)


def _stored(guest: "Guest", stores: Sequence[Stored]) -> Iterator[Change]:
    """Yield what the stores have made: a site begins where an int3 was stored."""
    replaced = _replaced(stores)
    sites = dict.fromkeys(each.address for each in stores if each.new == bytes([_INT3]))
    for site in sites:
        address = guest.image.link_address(site)
        if address is None:
            continue
        try:
            memory = guest.read(address, SITE_SIZE + 1)
        except TextpokeError:
            continue
        stored = [at - site for at in replaced if site <= at < site + len(memory)]
        new = _after(memory, site, stores)
        size = max(len(decode_one(new, address).bytes), max(stored, default=0) + 1)
        yield Change(address, _before(memory, site, replaced)[:size], new[:size])


def _replaced(stores: Sequence[Stored]) -> dict[int, int]:
    """Return what each byte that was stored to had been before, by physical address."""
    found: dict[int, int] = {}
    for each in stores:
        for at, value in enumerate(each.old, each.address):
            found.setdefault(at, value)
    return found


def _before(memory: bytes, physical: int, replaced: dict[int, int]) -> bytes:
    return bytes(replaced.get(at, value) for at, value in enumerate(memory, physical))


def _after(memory: bytes, physical: int, stores: Sequence[Stored]) -> bytes:
    """Return what the stores have left at a site, whoever has stored there since."""
    last = {at: value for each in stores for at, value in enumerate(each.new, each.address)}
    return bytes(last.get(at, value) for at, value in enumerate(memory, physical))


PATTERNS: Final = {
    "int3": slice(0, 1),
    "tail": slice(1, None),
    "head": slice(0, 1),
}
"""The bytes of a site that a phase stores."""


def phases_of(found: Rewriting) -> tuple[str, ...]:
    """Return the phases of a batch, in order: those it has had, and those to come.

    Where no instruction has a tail there is nothing to store behind the int3, and where all become
    int3 nothing in front. Source: text_poke_bp_batch.
    """
    needless: set[str] = set()
    if found.changes and all(len(each.new) == 1 for each in found.changes):
        needless |= {"tail", "sync2"}
    if found.changes and all(each.new[0] == _INT3 for each in found.changes):
        needless |= {"head", "sync3"}
    begun = {phase for phase, _ in found.batch.phases}
    return tuple(each for each in PHASES if each in begun or each not in needless)
