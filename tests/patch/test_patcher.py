"""The patcher at work: what memory holds after every phase, and what it refuses."""

import dataclasses

import pytest

from emu.errors import PokeError
from emu.image.objects import Object
from emu.lab import Lab
from emu.machine.events import PHASE
from emu.moves.plan import PHASES
from emu.patch.redirect import Redirect
from emu.patch.text_poke import NOP5, TextPoke, text_poke_bp_batch
from tests.labs import (
    BOUND,
    FUNCTION,
    MODELS,
    SECOND,
    each_step,
    in_and_out,
    loaded,
    plans,
    redirected,
)


def text(lab: Lab) -> bytes:
    """Return all of the kernel's code."""
    start, end = (lab.image.symbols[name].address for name in ("_stext", "_etext"))
    return lab.guest.read(start, end - start)


def memory_by_phase(lab: Lab, redirect: Redirect, *, inward: bool) -> dict[str, str]:
    """Carry out a plan; returns the bytes of the site when each phase was over."""
    (plan,) = lab.plan([redirect], inward=inward)
    found, entered = {}, [""]

    def look() -> None:
        memory = lab.guest.read(redirect.site, 5).hex(" ")
        found[entered[0]] = memory
        entered[0] = lab.patcher.phase if lab.patcher.plan else "done"
        found[entered[0]] = memory

    each_step(lab, plan, look)
    found.pop("", None)
    return found


@pytest.mark.parametrize("function", [FUNCTION, SECOND])
def test_the_bytes_after_every_phase(function: str) -> None:
    lab = loaded(seed=5)
    (redirect,) = redirected(lab, function)
    new = redirect.call[1:].hex(" ")
    assert memory_by_phase(lab, redirect, inward=True) == {
        "arm": "0f 1f 44 00 00",
        "int3": "cc 1f 44 00 00",
        "sync1": "cc 1f 44 00 00",
        "tail": f"cc {new}",
        "sync2": f"cc {new}",
        "head": f"e8 {new}",
        "sync3": f"e8 {new}",
        "drain": f"e8 {new}",
        "done": f"e8 {new}",
    }
    assert memory_by_phase(lab, redirect, inward=False) == {
        "arm": f"e8 {new}",
        "int3": f"cc {new}",
        "sync1": f"cc {new}",
        "tail": "cc 1f 44 00 00",
        "sync2": "cc 1f 44 00 00",
        "head": "0f 1f 44 00 00",
        "sync3": "0f 1f 44 00 00",
        "drain": "0f 1f 44 00 00",
        "done": "0f 1f 44 00 00",
    }


@pytest.mark.parametrize("model", MODELS)
def test_patching_out_restores_all_text_and_the_descriptor(model: str) -> None:
    lab = loaded(model, seed=2)
    before = text(lab)
    both = plans(lab, redirected(lab, FUNCTION, SECOND))
    in_and_out(lab, both, 3)
    assert lab.patcher.done
    assert text(lab) == before
    assert all(lab.guest.read(change.address, 5) == NOP5 for change in both[0].changes)
    assert lab.guest.objects["bp_desc"].refs == 0  # type: ignore[union-attr] # an Object


def test_phases_are_events_in_order_with_the_number_of_their_plan() -> None:
    lab = loaded(cores=2)
    in_and_out(lab, plans(lab, redirected(lab)), 2)
    rows = [lab.machine.events[n] for n in range(len(lab.machine.events))]
    phases = [(event.b, PHASES[event.a]) for event in rows if event.kind == PHASE]
    assert phases == [(number, name) for number in (1, 2, 3, 4) for name in PHASES]


def test_the_descriptor_is_what_poke_h_says() -> None:
    lab = loaded()
    site, function = lab.image.sites.of(FUNCTION), lab.image.sites.of(SECOND)
    batch = [
        TextPoke(site, NOP5, b"\xe8\x78\x56\x34\x12"),
        TextPoke(function, NOP5, b"\xe9\xfe\xff\xff\xff"),
    ]
    plan = text_poke_bp_batch(lab.guest, batch).plan("two")
    lab.request(plan)
    lab.run(instructions=BOUND, stop=lambda: lab.patcher.phase == "int3")
    descriptor, stext = lab.guest.objects["bp_desc"], lab.image.symbols["_stext"].address
    assert isinstance(descriptor, Object)
    assert (descriptor.refs, descriptor.nr_entries) == (1, 2)
    assert descriptor.vec == lab.image.symbols["tp_vec"].address
    entries = [descriptor.vec[n] for n in range(2)]  # type: ignore[index] # an Object
    expected = [
        (site - stext, 0x12345678, 5, 0xE8, batch[0].new),
        (function - stext, -2, 5, 0xE9, batch[1].new),
    ]
    for entry, (rel_addr, disp, length, opcode, text) in zip(entries, expected, strict=True):
        assert isinstance(entry, Object)
        assert (entry.rel_addr, entry.disp, entry.len, entry.opcode) == (
            rel_addr, disp, length, opcode,
        )  # fmt: skip
        assert isinstance(entry.text, Object)
        assert entry.text.bytes_() == text


def test_bytes_that_are_not_as_expected_stop_it_before_it_stores_anything() -> None:
    lab = loaded()
    redirect, other = redirected(lab, FUNCTION, SECOND)
    wrong = dataclasses.replace(other.poke_in(), old=b"\x0f\x1f\x44\x00\x01")
    plan = text_poke_bp_batch(lab.guest, [redirect.poke_in(), wrong]).plan("patch two")
    before = text(lab)
    lab.request(plan)
    with pytest.raises(PokeError, match="patch two: ring_write holds 0f 1f 44 00 00, not 0f"):
        lab.run(instructions=100_000)
    assert lab.patcher.done
    assert text(lab) == before
    assert lab.guest.objects["bp_desc"].refs == 0  # type: ignore[union-attr] # an Object
    in_and_out(lab, plans(lab, [redirect]), 1)  # and it can be used again
    assert lab.patcher.done


def test_patching_in_twice_is_refused_by_the_bytes() -> None:
    lab = loaded()
    inward, _ = plans(lab, redirected(lab))
    lab.carry_out(inward, instructions=BOUND)
    with pytest.raises(PokeError, match=f"{FUNCTION} holds e8 .*, not 0f 1f 44 00 00"):
        lab.carry_out(inward, instructions=BOUND)


def test_two_requests_at_once_are_refused() -> None:
    lab = loaded()
    inward, outward = plans(lab, redirected(lab))
    lab.request(inward)
    requests = lab.patcher.requests
    with pytest.raises(PokeError, match=f"busy with 'patch {FUNCTION} in', at step"):
        lab.request(outward)
    assert lab.patcher.requests == requests
    assert lab.patcher.plan is inward
    lab.run(instructions=BOUND, stop=lambda: lab.patcher.done)
    assert lab.guest.read(inward.changes[0].address, 5) == inward.changes[0].new


def test_a_refused_request_is_not_taken_for_one_that_patches_in() -> None:
    lab = loaded()
    inward, outward = plans(lab, redirected(lab))
    lab.request(inward)
    with pytest.raises(PokeError, match="busy"):
        lab.request(inward)
    lab.run(instructions=BOUND, stop=lambda: lab.patcher.done)
    lab.carry_out(outward, instructions=BOUND)
    lab.run(instructions=20_000)
    verdict = lab.verdict()
    assert verdict.old > 0
    assert verdict.late == 0


def test_the_patchers_state_belongs_to_the_hash() -> None:
    lab = loaded()
    inward, _ = plans(lab, redirected(lab))
    idle = lab.hash()
    lab.patcher.request(inward)
    assert lab.hash() != idle
