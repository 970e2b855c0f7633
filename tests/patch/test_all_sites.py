"""Every function of the toy kernel at once, patched in and out under load.

Each site becomes a call of code that does nothing, so the kernel goes on as it was: one that
returns, as a tracer's trampoline does, or for each site one of its own that drops the return
address and jumps behind the site, as that of a replaced function does.
"""

import pytest

from emu.detect.detectors import Detectors
from emu.detect.watch import Watched, Way
from emu.image.assemble import assemble
from emu.lab import Lab
from emu.moves.plan import Plan, Store
from emu.patch.text_poke import NOP5, TextPoke, text_poke_bp_batch, text_poke_queue
from tests.labs import MODELS, loaded

SLOT = 16
DROPPED = 5  # offset in a trampoline of its own: behind the return address


def trampolines(lab: Lab, *, shared: bool) -> list[tuple[int, bytes]]:
    """Return address and code of the trampoline of each site."""
    arena, symbols = lab.image.symbols["poke_arena"].address, lab.image.symbols
    if shared:
        return [(arena, b"\xc3")] * len(lab.image.sites)
    return [
        (at, assemble(f"lea rsp, [rsp + 8]\njmp {site + 5:#x}", at, symbols))
        for at, site in zip(range(arena, 1 << 64, SLOT), lab.image.sites.all, strict=False)
    ]


def patched(lab: Lab, *, shared: bool) -> tuple[list[Plan], list[Plan], list[Watched]]:
    """Return plans (in, out) for all sites, a batch each, and what detectors watch."""
    there, watched, code = [], [], {}
    names = {site: name for name, site in lab.image.sites.functions.items()}
    places = trampolines(lab, shared=shared)
    for site, (at, trampoline) in zip(lab.image.sites.all, places, strict=True):
        call = b"\xe8" + (at - site - 5).to_bytes(4, "little", signed=True)
        there.append(TextPoke(site, NOP5, call))
        name = names.get(site, "overridden")  # what is weak and gave way has no name
        ways = Way(NOP5, site + 5), Way(call, site + 5 if shared else at + DROPPED)
        watched.append(Watched(name, site, ways))
        code[at] = trampoline
    back = [TextPoke(poke.address, poke.new, poke.old) for poke in there]
    stores = [
        Store(at + start, each[start : start + 8])
        for at, each in code.items()
        for start in range(0, len(each), 8)
    ]
    return (
        [
            text_poke_bp_batch(lab.guest, batch).plan("all in", () if number else stores)
            for number, batch in enumerate(text_poke_queue(there[::-1]))
        ],
        [
            text_poke_bp_batch(lab.guest, batch).plan("all out")
            for batch in text_poke_queue(back[::-1])
        ],
        watched,
    )


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "own"])
@pytest.mark.parametrize("model", MODELS)
def test_all_sites_at_once_there_and_back(model: str, shared: bool) -> None:
    """A machine has not probes enough for all: every other function is watched, then the rest."""
    lab = loaded(model, seed=21)
    sites = lab.image.sites.all
    assert len(sites) > 256  # more than a batch
    start, end = (lab.image.symbols[name].address for name in ("_stext", "_etext"))
    before = lab.guest.read(start, end - start)
    inward, outward, watched = patched(lab, shared=shared)
    for half in (watched[::2], watched[1::2]):
        lab.detectors = Detectors(lab.guest, tuple(half))
        for plan in inward:
            lab.carry_out(plan)
        assert [lab.guest.read(site, 1) for site in sites] == [b"\xe8"] * len(sites)
        lab.run(instructions=20_000)
        for plan in outward:
            lab.carry_out(plan)
        lab.run(instructions=20_000)
        verdict = lab.verdict()
        assert (lab.machine.alive, verdict.status) == (True, 0), verdict
        assert verdict.int3 > 200
        assert (verdict.new > 0) == (not shared)
        assert (verdict.stale > 0) == (model != "coherent")
    assert lab.guest.read(start, end - start) == before
    assert lab.guest.objects["bp_desc"].refs == 0  # type: ignore[union-attr] # an Object
