"""text.py against the brute-force reference: floors, versions, models, hazard, freshness."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import emu.machine.view  # noqa: F401 -- how numba knows a State
from emu.machine import fetch_model, splitmix, state, text
from emu.machine.decode import LONG, decode
from emu.machine.state import LINE_FETCHED, LINE_LIVE, State
from tests.machine.reference_text import Text

RAM, BASE, WINDOW = 1 << 12, 0x7C, 12  # the window lies over two words and two lines
CORES = 3
BYTES = st.sampled_from([0x90, 0xCC, 0xE8, 0x0F, 0x1F, 0x44, 0x48, 0xB8, 0x00])
MODELS = st.sampled_from(text.MODELS)


Operation = tuple[str, int, bytes, int]  # "store" or "serialise", where or who, what, by whom


@st.composite
def operations(draw: st.DrawFn) -> list[Operation]:
    """Draw stores within one word and serialisations."""
    found = []
    for _ in range(draw(st.integers(1, 6))):
        if draw(st.integers(0, 4)) == 0:
            found.append(("serialise", draw(st.integers(0, CORES - 1)), b"", -1))
            continue
        at = BASE + draw(st.integers(0, WINDOW - 1))
        size = draw(st.integers(1, min(8 - (at & 7), BASE + WINDOW - at)))
        data = bytes(draw(st.lists(BYTES, min_size=size, max_size=size)))
        found.append(("store", at, data, draw(st.integers(-1, CORES - 1))))
    return found


@dataclass
class Pair:
    """The same text twice."""

    real: State
    reference: Text

    def do(self, kind: str, at: int, data: bytes, core: int = -1) -> None:
        if kind == "serialise":
            text.serialise(self.real, at)
            self.reference.serialise(at)
            return
        old = int.from_bytes(self.real.ram[at : at + len(data)].tobytes(), "little")
        new = int.from_bytes(data, "little")
        made = text.remember(self.real, core, at, len(data), signed(old), signed(new))
        self.real.ram[at : at + len(data)] = np.frombuffer(data, np.uint8)
        assert made == self.reference.store(at, data, core)


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def pair(model: str, start: bytes = bytes(range(0x60, 0x60 + WINDOW))) -> Pair:
    ram = np.zeros(RAM, np.uint8)
    ram[BASE : BASE + len(start)] = np.frombuffer(start, np.uint8)
    real = state.allocate(CORES, ram)
    real.m[state.M_MODEL] = text.MODELS.index(model)
    real.core[:CORES, state.C_STATE] = state.CORE_RUNS
    real.lines[:] = LINE_FETCHED
    return Pair(real, Text(bytearray(ram.tobytes()), CORES, model))


def window(first: int = 0) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(BASE + first, BASE + first + 15, dtype=np.int64)


@settings(max_examples=300, deadline=None)
@given(MODELS, operations())
def test_versions_floors_and_what_is_dropped(model: str, work: list[Operation]) -> None:
    both = pair(model)
    real, reference = both.real, both.reference
    for operation in work:
        both.do(*operation)
        assert real.m[state.M_TEXT_NOW] == reference.now
        assert real.core[:CORES, state.C_FLOOR].tolist() == reference.floors
        alive = real.history[: real.m[state.M_HISTORY], state.H_TIME].tolist()
        assert alive == reference.alive()
        live = {int(row[state.H_ADDRESS]) >> 6 for row in real.history[: len(alive)]}
        assert set(np.flatnonzero(real.lines & LINE_LIVE).tolist()) == live
    times = np.zeros(64, np.int64)
    for core in range(CORES):
        for address in range(BASE - 2, BASE + WINDOW + 2):
            floor = text.byte_floor(real, core, address)
            assert floor == reference.first(core, address)
            for time in reference.times(core, address):
                assert text.byte_at(real, address, time) == reference.byte(address, time)
            count = text.version_times(real, address, floor, times)
            values = [int(text.byte_at(real, address, time)) for time in times[:count]]
            expected = reference.versions(core, address)
            assert values == expected
            changes = model != "coherent" and len(expected) > 1
            assert text.unstable(real, core, address, 1) == changes
        for first in range(WINDOW - 3):
            one = any(text.unstable(real, core, BASE + first + at, 1) for at in range(4))
            assert text.unstable(real, core, BASE + first, 4) == one


@settings(max_examples=300, deadline=None)
@given(MODELS, operations(), st.integers(0, WINDOW - 5), st.integers(1, 4), st.data())
def test_what_the_model_allows(
    model: str, work: list[Operation], first: int, length: int, data: st.DataObject
) -> None:
    both = pair(model)
    for operation in work:
        both.do(*operation)
    core = data.draw(st.integers(0, CORES - 1))
    addresses = window(first)
    may = both.reference.allowed(core, addresses[:length].tolist())
    ages, code = np.zeros(15, np.int64), np.zeros(24, np.uint8)
    tries = {tuple(data.draw(st.integers(0, 3)) for _ in range(length)) for _ in range(6)} | may
    for wanted in tries:
        ages[:length] = wanted
        assert fetch_model.allowed(both.real, core, addresses, ages, length, code) == (
            wanted in may
        )
        if wanted in may:
            for at in range(15):
                versions = both.reference.versions(core, int(addresses[at]))
                assert code[at] == versions[wanted[at] if at < length else 0]


def check_choose(both: Pair, core: int, first: int, draws: int) -> set[tuple[int, ...]]:
    """Check that `choose` yields what the reference allows; returns what it never yielded."""
    addresses = window(first)
    ages, code = np.zeros(15, np.int64), np.zeros(24, np.uint8)
    random = np.array([1], np.uint64)
    inside = addresses[: min(6, WINDOW - first)].tolist()
    expected = set()
    for wanted in both.reference.allowed(core, inside):
        code[:] = 0
        for at in range(15):
            versions = both.reference.versions(core, int(addresses[at]))
            code[at] = versions[wanted[at] if at < len(wanted) else 0]
        length, _ = decode(code, LONG)
        expected.add((*wanted[:length], *(0,) * (length - len(wanted))))
    got = set()
    for _ in range(draws * len(expected)):
        length = fetch_model.choose(both.real, core, addresses, LONG, ages, code, random)
        assert decode(code, LONG)[0] == length
        chosen = tuple(ages[:length].tolist())
        assert chosen in expected
        assert not ages[length:].any()
        for at in range(15):
            assert code[at] == both.reference.versions(core, int(addresses[at]))[ages[at]]
        assert fetch_model.allowed(both.real, core, addresses, ages, length, code)
        got.add(chosen)
    newest = np.empty(0, np.uint64)
    fetch_model.choose(both.real, core, addresses, LONG, ages, code, newest)
    assert not ages.any()
    assert code[:12].tolist() == both.real.ram[addresses[:12]].tolist()
    return expected - got


@pytest.mark.parametrize("model", text.MODELS)
@pytest.mark.parametrize("at", [0, 2], ids=["over two words", "in one word"])
def test_choose_reaches_every_mix_of_a_nop_and_a_call(model: str, at: int) -> None:
    """Over two words the call is two stores, at once for nobody."""
    start = bytes(at) + bytes.fromhex("0f1f440000") + b"\x90" * (WINDOW - 5 - at)
    both = pair(model, start)
    call = bytes.fromhex("e878563412")
    in_first = min(5, 8 - (BASE + at & 7))
    both.do("store", BASE + at, call[:in_first])
    if in_first < 5:
        both.do("store", BASE + at + in_first, call[in_first:])
    assert not check_choose(both, 0, at, 40)


@settings(max_examples=40, deadline=None)
@given(MODELS, operations(), st.integers(0, WINDOW - 6))
def test_choose_yields_only_what_is_allowed(model: str, work: list[Operation], first: int) -> None:
    both = pair(model, bytes.fromhex("0f1f440000e8909090909090"))
    for kind, at, data, by in work[:3]:  # the reference tries all combinations for six bytes
        both.do(kind, at, data[: max(0, BASE + first + 6 - at)] if kind == "store" else data, by)
    for core in range(CORES):
        check_choose(both, core, first, 10)


@settings(max_examples=300, deadline=None)
@given(operations(), st.integers(0, WINDOW - 1))
def test_hazard_is_two_different_whole_instructions(work: list[Operation], first: int) -> None:
    both = pair("sdm", bytes.fromhex("0f1f440000e8909090909090"))
    for operation in work:
        both.do(*operation)
    addresses = window(first)
    for core in range(CORES):
        forms = set()
        now = np.array([*both.real.ram[addresses], *bytes(9)], np.uint8)
        length, _ = decode(now, LONG)
        for form in both.reference.whole(core, addresses.tolist(), length):
            if form[0] != fetch_model.INT3:
                code = np.frombuffer(form.ljust(24, b"\0"), np.uint8)
                forms.add(form[: decode(code, LONG)[0]])
        assert fetch_model.hazard(both.real, core, addresses, LONG) == (len(forms) > 1)


def test_a_store_to_a_fresh_line_is_seen_by_all_at_once() -> None:
    both = pair("sdm")
    real = both.real
    real.lines[BASE >> 6] = 0
    assert not text.remember(real, -1, BASE, 4, 1, 2)
    assert not text.unstable(real, 0, BASE, 4)
    assert real.m[state.M_TEXT_NOW] == real.m[state.M_HISTORY] == 0
    assert text.remember(real, -1, BASE + 4, 4, 1, 2)  # the next line was fetched from
    assert text.unstable(real, 0, BASE + 4, 1)


def test_a_core_that_is_not_started_holds_nothing_back_and_sees_the_newest() -> None:
    both = pair("sdm")
    real = both.real
    real.core[2, state.C_STATE] = state.CORE_WAITS
    for time in range(1, 4):
        assert text.remember(real, -1, BASE, 1, time, time + 1)
    assert real.core[:CORES, state.C_FLOOR].tolist() == [0, 0, 3]
    text.serialise(real, 0)
    assert real.m[state.M_HISTORY] == 3
    text.serialise(real, 1)
    assert real.m[state.M_HISTORY] == 0


def test_a_full_history_forgets_its_older_half() -> None:
    both = pair("sdm")
    real = both.real
    for number in range(state.MAX_HISTORY + 1):
        assert text.remember(real, -1, BASE, 8, number, number + 1)
    rows = int(real.m[state.M_HISTORY])
    assert rows == state.MAX_HISTORY // 2
    assert real.history[rows - 1, state.H_TIME] == real.m[state.M_TEXT_NOW]
    oldest = int(real.history[0, state.H_TIME])
    assert real.core[:CORES, state.C_FLOOR].tolist() == [oldest - 1] * 3


def test_below_is_splitmix64() -> None:
    """The first outputs for seed 1234567, as in the generator's own test, without their low bit."""
    random = np.array([1234567], np.uint64)
    outputs = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    for value in outputs:
        assert splitmix.below(random, 1 << 62) == (value >> 1) % (1 << 62)
