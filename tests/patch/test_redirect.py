"""Redirects: where trampolines and replacements go, and how a plan tells of them."""

from dataclasses import replace
from itertools import pairwise

import pytest

from emu.errors import BadAssembly, BadSymbol, NoSite, PokeError
from emu.image.disasm import decode_one
from emu.lab import Lab
from emu.patch.redirect import Arena, Redirect
from tests.labs import FUNCTION, SECOND, loaded, plans


@pytest.fixture(scope="module")
def lab() -> Lab:
    return loaded(cores=1)


@pytest.fixture
def arena(lab: Lab) -> Arena:
    return Arena(lab.guest)


def test_the_site_calls_a_trampoline_that_jumps_to_the_replacement(lab: Lab, arena: Arena) -> None:
    redirect = arena.redirect(FUNCTION, "ret")
    assert redirect.site == lab.image.sites.of(FUNCTION)
    assert decode_one(redirect.call, redirect.site).op_str == f"{redirect.trampoline:#x}"
    (at, trampoline), (where, code) = redirect.code
    assert (at, where, code) == (redirect.trampoline, redirect.replacement, b"\xc3")
    drop = decode_one(trampoline, at)
    assert (drop.mnemonic, drop.op_str) == ("lea", "rsp, [rsp + 8]")
    jump = decode_one(trampoline[5:], at + 5)
    assert (jump.mnemonic, jump.op_str) == ("jmp", f"{redirect.replacement:#x}")


def test_nothing_overlaps_and_all_is_inside(lab: Lab, arena: Arena) -> None:
    start, end = (lab.image.symbols[name].address for name in ("poke_arena", "poke_arena_end"))
    made = [arena.redirect(FUNCTION, ".zero 17") for _ in range(9)]
    taken = [(at, at + len(code)) for redirect in made for at, code in redirect.code]
    assert taken == sorted(taken)
    assert all(left[1] <= right[0] for left, right in pairwise(taken))
    assert start <= taken[0][0]
    assert taken[-1][1] <= end
    assert all(redirect.trampoline % 16 == 0 for redirect in made)


def test_an_arena_that_is_full_says_how_much_is_left(lab: Lab, arena: Arena) -> None:
    start, end = (lab.image.symbols[name].address for name in ("poke_arena", "poke_arena_end"))
    for _ in range((end - start - 160) // 4016):  # a trampoline and 4,000 bytes
        arena.redirect(FUNCTION, ".zero 4000")
    rest = (end - start - 160) % 4016
    arena.redirect(FUNCTION, f".zero {rest - 16}" if rest > 16 else "ret")
    left = 144 if rest > 16 else 128 + rest
    with pytest.raises(
        PokeError, match=f"replacement of {FUNCTION} has 200 bytes, .* has {left} left"
    ):
        arena.redirect(FUNCTION, ".zero 200")
    arena.redirect(FUNCTION, f".zero {left}")  # the last byte can be used
    with pytest.raises(PokeError, match="has 0 left"):
        arena.redirect(FUNCTION, "ret")


def test_what_cannot_be_redirected(arena: Arena) -> None:
    with pytest.raises(BadSymbol, match="did you mean ring_write"):
        arena.redirect("ring_wirte", "ret")
    with pytest.raises(NoSite, match="'exc_int3' has no site"):
        arena.redirect("exc_int3", "ret")
    with pytest.raises(BadAssembly, match=r"mine\.s:2: "):
        arena.redirect(FUNCTION, "ret\nrett", "mine.s")


def test_a_call_that_does_not_reach_is_refused() -> None:
    with pytest.raises(PokeError, match="too far from poke_arena"):
        _ = Redirect("f", 0, 1 << 31 | 5, 0, ()).call
    assert Redirect("f", 0, (1 << 31) + 4, 0, ()).call == b"\xe8\xff\xff\xff\x7f"
    assert Redirect("f", 1 << 32, (1 << 31) + 5, 0, ()).call == b"\xe8\x00\x00\x00\x80"


def test_a_plan_tells_its_redirects(lab: Lab, arena: Arena) -> None:
    made = [arena.redirect(name, "mov eax, 7\nret") for name in (FUNCTION, SECOND)]
    inward, outward = plans(lab, made)
    found = Redirect.of_plans([inward], lab.image.symbols.describe)
    bare = [replace(r, code=r.code[1:]) for r in made]  # what names it, without the trampoline
    assert sorted(found, key=lambda r: r.site) == sorted(bare, key=lambda r: r.site)
    assert Redirect.of_plans([outward], lab.image.symbols.describe) == ()
    assert Redirect.of_plans([outward, inward], lab.image.symbols.describe) == found


def test_in_and_out_are_each_others_reverse(arena: Arena) -> None:
    redirect = arena.redirect(FUNCTION, "ret")
    there, back = redirect.poke_in(), redirect.poke_out()
    assert (there.address, there.old, there.new) == (back.address, back.new, back.old)
    assert (there.emulate, back.emulate) == (None, None)
