"""text_poke_bp_batch: rewriting up to 256 instructions while other cores execute them.

The plan is Linux's, step by step (arch/x86/kernel/alternative.c, 6.12, text_poke_bp_batch,
text_poke_loc_init). What Linux does in functions is here a tuple of steps, grouped by phase, so
that it can be shown, interrupted anywhere, and broken on purpose (breaks.py). The descriptors
bp_desc and tp_vec live in guest memory only, where the guest's int3 handler reads them.
"""

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from emu.errors import PokeError
from emu.guest.guest import Guest
from emu.image.objects import Object
from emu.moves.plan import Change, Check, Ipi, Phase, Plan, Rmw, Step, Store, Wait

INT3 = b"\xcc"
NOP5 = bytes.fromhex("0f1f440000")
NOP2 = bytes.fromhex("6690")
TP_VEC_MAX = 256
POKE_MAX_OPCODE_SIZE = 5

_CALL, _JMP32, _JMP8, _RET, _INT3 = 0xE8, 0xE9, 0xEB, 0xC3, 0xCC
_JCC8, _JCC32 = range(0x70, 0x80), range(0x80, 0x90)


@dataclass(frozen=True, slots=True)
class TextPoke:
    """One instruction to rewrite. emulate: what the int3 handler acts out, by default `new`."""

    address: int
    old: bytes
    new: bytes
    emulate: bytes | None = None


@dataclass(frozen=True, slots=True)
class Protocol:
    """A batch as phases in order; the steps of each begin with its Phase.

    checks come before the first phase. Breaks reorder and thin out `phases`.
    """

    checks: tuple[Check, ...]
    phases: tuple[tuple[str, tuple[Step, ...]], ...]
    changes: tuple[Change, ...]

    def plan(self, name: str, before: Sequence[Step] = ()) -> Plan:
        """Return the plan: checks, `before` (text nobody can reach yet), and the phases."""
        steps: list[Step] = [*self.checks, *before]
        for phase, group in self.phases:
            steps += [Phase(phase), *group]
        return Plan(name, tuple(steps), self.changes)


def emulation(instruction: bytes) -> tuple[int, int]:
    """Return (opcode, disp) that let poke_int3_handler act out an instruction.

    Raises PokeError for one that it cannot (text_poke_loc_init has a BUG there).
    """
    opcode, operand = instruction[0], instruction[1:]
    if instruction == NOP5:
        return _JMP32, 0
    if instruction == NOP2:
        return _JMP8, 0
    if opcode in (_CALL, _JMP32) and len(operand) == 4:
        return opcode, struct.unpack("<i", operand)[0]
    if (opcode == _JMP8 or opcode in _JCC8) and len(operand) == 1:
        return opcode, struct.unpack("<b", operand)[0]
    if opcode == 0x0F and len(operand) == 5 and operand[0] in _JCC32:
        return operand[0] - 0x10, struct.unpack("<i", operand[1:])[0]
    if opcode in (_RET, _INT3) and not operand.strip(INT3):
        return opcode, 0
    raise PokeError(f"the int3 handler cannot act out {instruction.hex(' ')}")


def text_poke_bp_batch(
    guest: Guest, pokes: Sequence[TextPoke], cores: int | None = None
) -> Protocol:
    """Return the protocol that rewrites these instructions, in the order given.

    cores: the bit mask of the cores to synchronise, by default all that are online.

    The caller sorts (`text_poke_queue` does): the handler finds a site only by halving.
    Raises PokeError for none, for more than 256, for overlapping or foreign sites.
    """
    if not 1 <= len(pokes) <= TP_VEC_MAX:
        raise PokeError(f"{len(pokes)} sites in one batch: there can be 1 to {TP_VEC_MAX}")
    for poke in pokes:
        if len(poke.old) != len(poke.new) or not 1 <= len(poke.new) <= POKE_MAX_OPCODE_SIZE + 1:
            raise PokeError(f"{poke.old.hex(' ')} cannot become {poke.new.hex(' ')}: lengths")
    ends = sorted((poke.address, poke.address + len(poke.new)) for poke in pokes)
    for (_, end), (start, _) in itertools.pairwise(ends):
        if start < end:
            raise PokeError(f"two instructions overlap at {start:#x}")
    vector, descriptor = _object(guest, "tp_vec"), _object(guest, "bp_desc")
    sync = text_poke_sync(guest, guest.online() if cores is None else cores)
    refs = descriptor.address_of_("refs")
    tails = tuple(Store(poke.address + 1, poke.new[1:]) for poke in pokes if len(poke.new) > 1)
    heads = tuple(Store(poke.address, poke.new[:1]) for poke in pokes if poke.new[:1] != INT3)
    phases: list[tuple[str, tuple[Step, ...]]] = [
        ("arm", _arm(guest, vector, descriptor, pokes)),
        ("int3", _int3(vector, pokes)),
        ("sync1", sync),
        *([("tail", tails), ("sync2", sync)] if tails else []),
        *([("head", heads), ("sync3", sync)] if heads else []),
        ("drain", (Rmw(refs, -1), Wait("drained", ((refs, 0),)))),
        ("done", ()),
    ]
    return Protocol(
        tuple(Check(poke.address, poke.old) for poke in pokes),
        tuple(phases),
        tuple(Change(poke.address, poke.old, poke.new) for poke in pokes),
    )


def text_poke_queue(pokes: Sequence[TextPoke]) -> tuple[tuple[TextPoke, ...], ...]:
    """Return the pokes as sorted batches of at most TP_VEC_MAX."""
    ordered = sorted(pokes, key=lambda poke: poke.address)
    return tuple(
        tuple(ordered[start : start + TP_VEC_MAX]) for start in range(0, len(ordered), TP_VEC_MAX)
    )


def _arm(
    guest: Guest, vector: Object, descriptor: Object, pokes: Sequence[TextPoke]
) -> tuple[Step, ...]:
    """Fill tp_vec, and only then let the handler see it: refs becomes 1 last."""
    stext = guest.image.symbols["_stext"].address
    steps: list[Step] = []
    for index, poke in enumerate(pokes):
        opcode, disp = emulation(poke.new if poke.emulate is None else poke.emulate)
        entry = _element(vector, index)
        steps += [
            Store(*entry.store_("rel_addr", poke.address - stext)),
            Store(*entry.store_("disp", disp)),
            Store(*entry.store_("len", len(poke.new))),
            Store(*entry.store_("opcode", opcode)),
            Store(entry.address_of_("text"), poke.new[-POKE_MAX_OPCODE_SIZE:]),
        ]
    return (
        *steps,
        Store(*descriptor.store_("vec", vector.address_)),
        Store(*descriptor.store_("nr_entries", len(pokes))),
        Store(*descriptor.store_("refs", 1)),
    )


def _int3(vector: Object, pokes: Sequence[TextPoke]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for index, poke in enumerate(pokes):
        steps.append(Store(*_element(vector, index).store_("old", poke.old[0])))
        steps.append(Store(poke.address, INT3))
    return tuple(steps)


def text_poke_sync(guest: Guest, cores: int) -> tuple[Step, ...]:
    """Return the steps that make the cores of a bit mask serialise and wait until they have."""
    pending = _object(guest, "sync_core_pending")
    words = [(pending.address_ + 4 * core, 0) for core in range(len(pending)) if cores >> core & 1]
    vector = guest.objects["sync_core_vector"]
    return (
        *(Store(address, struct.pack("<I", 1)) for address, _ in words),
        Ipi(int(vector), cores),
        Wait("acknowledged", tuple(words)),
    )


def _object(guest: Guest, name: str) -> Object:
    found = guest.objects[name]
    if not isinstance(found, Object):
        raise PokeError(f"{name} is not a structure in {guest.image.name}")
    return found


def _element(array: Object, index: int) -> Object:
    found = array[index]
    assert isinstance(found, Object)
    return found
