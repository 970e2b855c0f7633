"""Plans of text_poke_bp_batch: Linux's order, step by step, for one site and for many."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.errors import PokeError
from emu.lab import Lab
from emu.moves.plan import PHASES, Change, Check, Ipi, Phase, Plan, Rmw, Store, Wait
from emu.patch.redirect import stores
from emu.patch.text_poke import NOP5, TextPoke, text_poke_bp_batch, text_poke_queue
from tests.labs import FUNCTION, loaded, redirected

SITE = 0xFFFFFFFF80300000


@pytest.fixture(scope="module")
def lab() -> Lab:
    return loaded(cores=2)


def pokes(count: int, stride: int = 16) -> list[TextPoke]:
    call = b"\xe8" + struct.pack("<i", 0x1234)
    return [TextPoke(SITE + stride * n, NOP5, call) for n in range(count)]


def listing(lab: Lab, plan: Plan) -> list[str]:
    """Return the steps with names instead of addresses."""
    at = lab.image.symbols.describe
    lines = []
    for step in plan.steps:
        match step:
            case Phase(name):
                lines.append(f"{name}:")
            case Check(address, expected):
                lines.append(f"check {at(address)} {expected.hex(' ')}")
            case Store(address, data):
                lines.append(f"store {at(address)} {data.hex(' ')}")
            case Rmw(address, addend):
                lines.append(f"rmw {at(address)} {addend}")
            case Ipi(vector, cores):
                lines.append(f"ipi {vector:x} {cores:b}")
            case Wait(condition, words):
                waits = " ".join(f"{at(address)}={value}" for address, value in words)
                lines.append(f"wait {condition} {waits}")
    return lines


GOLDEN = """\
check cmdline_proc_show 0f 1f 44 00 00
store poke_arena 48 8d 64 24 08 e9 06 00
store poke_arena+0x8 00 00
store poke_arena+0x10 b8 2a 00 00 00 c3
arm:
store tp_vec {rel_addr}
store tp_vec+0x4 {rel32}
store tp_vec+0x8 05
store tp_vec+0x9 e8
store tp_vec+0xa e8 {rel32}
store bp_desc {tp_vec}
store bp_desc+0x8 01 00 00 00
store bp_desc+0xc 01 00 00 00
int3:
store tp_vec+0xf 0f
store cmdline_proc_show cc
sync1:
{sync}
tail:
store cmdline_proc_show+0x1 {rel32}
sync2:
{sync}
head:
store cmdline_proc_show e8
sync3:
{sync}
drain:
rmw bp_desc+0xc -1
wait drained bp_desc+0xc=0
done:"""

SYNC = """\
store sync_core_pending 01 00 00 00
store sync_core_pending+0x4 01 00 00 00
ipi fb 11
wait acknowledged sync_core_pending=0 sync_core_pending+0x4=0"""


def test_one_nop_to_a_call_step_by_step(lab: Lab) -> None:
    (redirect,) = redirected(lab)
    (plan,) = lab.plan([redirect], inward=True)
    symbols = lab.image.symbols
    relative = redirect.site - symbols["_stext"].address
    expected = GOLDEN.format(
        rel_addr=struct.pack("<i", relative).hex(" "),
        rel32=struct.pack("<i", redirect.trampoline - redirect.site - 5).hex(" "),
        tp_vec=struct.pack("<Q", symbols["tp_vec"].address).hex(" "),
        sync=SYNC,
    )
    assert listing(lab, plan) == expected.splitlines()
    assert plan.name == f"patch {FUNCTION} in"
    assert plan.changes == (Change(redirect.site, NOP5, redirect.call),)


def test_giving_back_is_the_same_the_other_way_round(lab: Lab) -> None:
    (redirect,) = redirected(lab)
    (inward,), (outward,) = (lab.plan([redirect], inward=way) for way in (True, False))
    (change,) = outward.changes
    assert (change.old, change.new) == (redirect.call, NOP5)
    bare = [step for step in inward.steps if step not in stores([redirect])]
    assert [type(step) for step in outward.steps] == [type(step) for step in bare]
    texts = [s.data for s in outward.steps if isinstance(s, Store) and s.address < _data(lab)]
    assert texts == [b"\xcc", NOP5[1:], NOP5[:1]]


@pytest.mark.parametrize("count", [1, 2, 256])
def test_a_batch_writes_all_sites_between_three_syncs(lab: Lab, count: int) -> None:
    plan = text_poke_bp_batch(lab.guest, pokes(count)).plan("batch")
    phases = [step.name for step in plan.steps if isinstance(step, Phase)]
    assert phases == list(PHASES)
    by_phase: dict[str, list[Store]] = {"": []}
    phase, first_check = "", True
    for step in plan.steps:
        if isinstance(step, Phase):
            phase = step.name
            by_phase[phase] = []
        elif isinstance(step, Store) and step.address >= SITE:
            by_phase[phase].append(step)
        elif isinstance(step, Check):
            first_check = first_check and phase == ""
    assert first_check, "all checks precede the first store"
    assert sum(isinstance(step, Check) for step in plan.steps) == count
    assert sum(isinstance(step, Ipi) for step in plan.steps) == 3
    written = {name: stores for name, stores in by_phase.items() if stores}
    assert written == {
        "int3": [Store(poke.address, b"\xcc") for poke in pokes(count)],
        "tail": [Store(poke.address + 1, poke.new[1:]) for poke in pokes(count)],
        "head": [Store(poke.address, poke.new[:1]) for poke in pokes(count)],
    }


def test_one_byte_needs_no_tail_and_int3_for_ever_no_head(lab: Lab) -> None:
    def phases(*each: TextPoke) -> list[str]:
        return [name for name, _ in text_poke_bp_batch(lab.guest, each).phases]

    short = ["arm", "int3", "sync1", "head", "sync3", "drain", "done"]
    assert phases(TextPoke(SITE, b"\x90", b"\xc3")) == short
    assert phases(TextPoke(SITE, b"\x90", b"\xcc")) == ["arm", "int3", "sync1", "drain", "done"]
    mixed = TextPoke(SITE, b"\x90", b"\xc3"), TextPoke(SITE + 1, b"\x66\x90", b"\xeb\x00")
    assert phases(*mixed) == list(PHASES)


def test_batches_that_cannot_be_are_refused(lab: Lab) -> None:
    for count in (0, 257):
        with pytest.raises(PokeError, match=f"{count} sites in one batch: there can be 1 to 256"):
            text_poke_bp_batch(lab.guest, pokes(count))
    with pytest.raises(PokeError, match="overlap"):
        text_poke_bp_batch(lab.guest, pokes(2, stride=4))
    text_poke_bp_batch(lab.guest, pokes(2, stride=5))
    for old, new in ((NOP5, b"\xc3"), (b"", b""), (b"\x90" * 7, b"\xc3" + b"\xcc" * 6)):
        with pytest.raises(PokeError, match="lengths"):
            text_poke_bp_batch(lab.guest, [TextPoke(SITE, old, new)])
    with pytest.raises(PokeError, match="cannot act out"):
        text_poke_bp_batch(lab.guest, [TextPoke(SITE, NOP5, b"\xb8\x01\x00\x00\x00")])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2000), max_size=600, unique=True))
def test_a_queue_sorts_and_splits_at_256(places: list[int]) -> None:
    given_ = [TextPoke(SITE + 8 * place, NOP5, NOP5) for place in places]
    batches = text_poke_queue(given_)
    flat = [poke for batch in batches for poke in batch]
    assert sorted(flat, key=lambda poke: poke.address) == flat
    assert set(flat) == set(given_)
    assert len(flat) == len(given_)
    assert all(len(batch) == 256 for batch in batches[:-1])
    assert all(1 <= len(batch) <= 256 for batch in batches)
    assert all(a[-1].address < b[0].address for a, b in pairwise(batches))


def test_257_sites_are_two_batches() -> None:
    assert [len(batch) for batch in text_poke_queue(pokes(257)[::-1])] == [256, 1]


def test_only_the_cores_named_are_interrupted_and_waited_for(lab: Lab) -> None:
    plan = text_poke_bp_batch(lab.guest, pokes(1), 0b10).plan("one core")
    pending = lab.image.symbols["sync_core_pending"].address
    assert [s.cores for s in plan.steps if isinstance(s, Ipi)] == [0b10] * 3
    waits = [s.words for s in plan.steps if isinstance(s, Wait) and s.condition == "acknowledged"]
    assert waits == [((pending + 4, 0),)] * 3


def _data(lab: Lab) -> int:
    return lab.image.symbols["poke_arena"].address
