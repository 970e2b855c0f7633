"""Fetches of chosen versions do what the same bytes in RAM would do."""

import itertools

import pytest

from emu.errors import TextpokeError
from emu.machine.events import STALE_FETCH, TEXT_STORE
from tests.machine.effects import Effect, effect, registers, traps
from tests.machine.guest_builder import quad
from tests.machine.site import ALIAS, BASE, NOP5, PLACEMENTS, Placement, Site, call_from, site

PATCHED = [pytest.param(placement, id=placement.name) for placement in PLACEMENTS]


def poke(at: Site) -> list[bytes]:
    """Replace the NOP by a call as text_poke does; returns the four forms of the site."""
    call = call_from(at.address)
    at.store(0, b"\xcc")
    at.store(1, call[1:])
    at.store(0, call[:1])
    return [NOP5, b"\xcc" + NOP5[1:], b"\xcc" + call[1:], call]


def ages_of(at: Site, core: int, code: bytes) -> list[int]:
    """Return the ages that give these bytes."""
    return [versions.index(byte) for versions, byte in zip(at.versions(core), code, strict=True)]


def fetched(at: Site, core: int, code: bytes) -> Effect:
    """Return what fetching these versions does."""
    since = len(at.machine.events)
    at.machine.fetch(core, ages_of(at, core, code))
    return effect(at.machine, core, since, at.physical[:5])


def really(placement: Placement, code: bytes, core: int = 0, cores: int = 1) -> Effect:
    """Return what these bytes do when they are really there."""
    at = site(placement, cores=cores, model="coherent")
    at.store(0, code)
    since = len(at.machine.events)
    assert at.machine.run(core, 1) == 1
    return effect(at.machine, core, since, at.physical[:5])


@pytest.mark.parametrize("placement", PATCHED)
def test_each_core_executes_the_version_it_chose(placement: Placement) -> None:
    at = site(placement, cores=4)
    forms = poke(at)
    truth = at.bytes()
    where = []
    for core, form in enumerate(forms):
        since = len(at.machine.events)
        at.machine.fetch(core, ages_of(at, core, form))
        where.append(registers(at.machine, core)["rip"] - at.address)
        assert at.bytes() == truth == forms[3]
        vectors = [vector for vector, _, _ in traps(at.machine, core, since)]
        assert vectors == ([3] if core in (1, 2) else [])
        assert at.machine.retired() == at.machine.now
    assert where[0] == 5
    assert where[1] == where[2] != 5
    call = forms[3]
    assert where[3] == 5 + int.from_bytes(call[1:], "little", signed=True)


@pytest.mark.parametrize("placement", PATCHED)
def test_every_mix_does_what_it_does_in_ram(placement: Placement) -> None:
    at = site(placement)
    poke(at)
    choices = [sorted(set(versions)) for versions in at.versions(0)]
    heads = choices[0]
    assert len(heads) == 3
    tails = [NOP5[1:], call_from(at.address)[1:]]
    mixes = {bytes([head, *tail]) for head in heads for tail in tails}
    mixes |= {bytes([head, *(tails[i % 2][i] for i in range(4))]) for head in heads}
    mixes |= {bytes([head, *(tails[(i + 1) % 2][i] for i in range(4))]) for head in heads}
    assert len(mixes) == 12
    for mix in sorted(mixes):
        at = site(placement)
        poke(at)
        assert fetched(at, 0, mix) == really(placement, mix), mix.hex()
        assert at.bytes() == call_from(at.address)


def test_the_32_mixes_of_a_nop_and_a_call() -> None:
    placement = PLACEMENTS[0]
    address = BASE + placement.offset
    call = call_from(address)
    nop_effect, call_effect = really(placement, NOP5), really(placement, call)
    intended, harmless, other = [], [], []
    for mix in map(bytes, itertools.product(*zip(NOP5, call, strict=True))):
        at = site(placement)
        at.store(0, call)
        result = fetched(at, 0, mix)
        assert result == really(placement, mix), mix.hex()
        if mix in (NOP5, call):
            intended.append(mix)
            assert result == (nop_effect if mix == NOP5 else call_effect)
        elif result in (nop_effect, call_effect):
            harmless.append(mix)
        else:
            other.append(mix)
    assert (len(intended), len(harmless), len(other)) == (2, 3, 27)
    assert all(mix[:3] == NOP5[:3] for mix in harmless)


def test_an_old_instruction_reads_new_bytes() -> None:
    load_itself = bytes.fromhex("488b05f9ffffff")  # mov rax, [rip - 7]
    at = site(code=load_itself)
    new = bytes.fromhex("0f1f8000000000")
    at.store(0, new)
    at.machine.fetch(0, [1 if old != now else 0 for old, now in zip(load_itself, new, strict=True)])
    state = registers(at.machine)
    assert state["rip"] == at.address + 7
    assert state["rax"].to_bytes(8, "little") == new + b"\x90"
    assert at.bytes(7) == new


def test_a_stale_instruction_that_stores_into_its_own_bytes() -> None:
    old = bytes.fromhex("c70744332211")  # mov dword [rdi], 0x11223344
    placement = PLACEMENTS[0]
    at = site(placement, code=old, before=f"mov rdi, {ALIAS + placement.offset + 2}")
    at.store(2, bytes.fromhex("88776655"))
    since = len(at.machine.events)
    at.machine.fetch(0, [0, 0, 1, 1, 1, 1])
    assert registers(at.machine)["rip"] == at.address + 6
    assert at.bytes(6) == old
    stores = [row for row in at.machine.events.since(since) if row[2] == TEXT_STORE]
    assert [tuple(map(int, row[3:7])) for row in stores] == [
        (at.physical[2], 0x55667788, 0x11223344, 4)
    ]
    assert at.versions(0, 6)[2] == (0x44,)  # its own store it does not miss
    assert at.machine.retired() == at.machine.now


def test_a_stale_instruction_that_loads_and_stores_beside_itself() -> None:
    """What it stores must not be undone when the true bytes come back."""
    old = bytes.fromhex("48894708")  # mov [rdi + 8], rax
    placement = PLACEMENTS[0]
    at = site(placement, code=old, before=f"mov rdi, {ALIAS + placement.offset}")
    at.store(0, bytes.fromhex("0f1f4000"))
    at.machine.fetch(0, [1, 1, 1, 1])
    assert quad(at.machine, at.physical[8]) == at.address
    assert at.bytes(4) == bytes.fromhex("0f1f4000")


def test_what_a_model_allows() -> None:
    new = call_from(BASE + PLACEMENTS[0].offset)
    torn_forward = bytes([NOP5[0], NOP5[1], *new[2:]])
    torn_back = bytes([new[0], new[1], *NOP5[2:]])
    for model, allowed in (
        ("observed", [True, True, False, False]),
        ("intel2010", [True, True, True, False]),
        ("sdm", [True, True, True, True]),
    ):
        for code, may in zip((NOP5, new, torn_forward, torn_back), allowed, strict=True):
            at = site(model=model)
            at.store(0, new)
            before = registers(at.machine)
            ages = ages_of(at, 0, code)
            if may:
                at.machine.fetch(0, ages)
            else:
                with pytest.raises(TextpokeError, match="does not allow"):
                    at.machine.fetch(0, ages)
                assert registers(at.machine) == before
    # ages of fewer bytes than the instruction has: the rest is newest, and does not fit
    at = site(model="observed")
    at.store(0, new)
    with pytest.raises(TextpokeError, match="does not allow"):
        at.machine.fetch(0, [1, 1])
    at = site(model="coherent")
    at.store(0, new)
    assert not at.machine.stands_at_unstable(0)
    with pytest.raises(TextpokeError, match="does not stand at unstable bytes"):
        at.machine.fetch(0, [1])


def test_run_ends_before_an_unstable_fetch_and_serialising_ends_that() -> None:
    at = site(cores=2)
    poke(at)
    for core in (0, 1):
        assert at.machine.run(core, 100) == 0
        assert at.machine.stands_at_unstable(core)
    at.machine.fetch(0, [0] * 5)
    assert at.machine.run(0, 100) > 0  # hlt at TARGET: nothing there is unstable
    assert at.machine.stands_at_unstable(1)


def test_the_event_tells_the_bytes_that_were_executed() -> None:
    at = site()
    poke(at)
    at.machine.fetch(0, ages_of(at, 0, b"\xcc" + NOP5[1:]))
    (row,) = [row for row in at.machine.events.since(0) if row[2] == STALE_FETCH]
    assert int(row[4]) & 0xFF == 0xCC
    assert int(row[5]) >> 8 == 1  # int3 has one byte
    assert int(row[3]) & (1 << 64) - 1 == at.address
