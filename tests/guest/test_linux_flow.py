"""The flow of functions, and the phases of one that is made like text_poke_bp_batch."""

import re
from dataclasses import dataclass

import pytest

from emu.errors import BadImage
from emu.guest.linux.flow import Flow
from emu.guest.linux.phases import phase_places
from emu.image.symbols import Symbol, Symbols
from emu.moves.plan import PHASES
from tests.machine.guest_code import assemble

BEGIN, SYNC, POKE, THUNK, DESCRIPTOR = 0x10000, 0x20000, 0x20100, 0x20200, 0x30000
REFERENCES = 12


@dataclass
class Image:
    """A function, others that it calls, and a variable."""

    code: bytes
    name: str = "text_poke_bp_batch"

    @property
    def types(self) -> object:
        return _Types()

    @property
    def symbols(self) -> Symbols:
        return Symbols(
            [
                Symbol("text_poke_bp_batch", BEGIN, len(self.code), "func"),
                Symbol("text_poke_sync", SYNC, 16, "func"),
                Symbol("__text_poke", POKE, 16, "func"),
                Symbol("__x86_return_thunk", THUNK, 16, "func"),
                Symbol("bp_desc", DESCRIPTOR, 16, "object"),
            ]
        )

    def read_virtual(self, address: int, size: int) -> bytes:
        if address != BEGIN:
            raise BadImage(f"has no {size} bytes at {address:#x}")
        return self.code[:size]


class _Types:
    def struct(self, _name: str) -> object:
        return self

    def member(self, _name: str) -> object:
        return type("Member", (), {"offset": REFERENCES})


def made(*parts: str) -> tuple[Image, list[int]]:
    """Return a function of these instructions, with `L3` for the third, and their addresses.

    "arm" stores 1 to the count of the descriptor.
    """
    places = [BEGIN + 10 * number for number in range(len(parts))]
    while True:
        code, found = b"", []
        for part in parts:
            found.append(BEGIN + len(code))
            code += _assembled(part, found[-1], places)
        if found == places:
            return Image(code), places
        places = found


def _assembled(part: str, at: int, places: list[int]) -> bytes:
    if part == "arm":  # mov dword ptr [rip + away], 1
        away = DESCRIPTOR + REFERENCES - (at + 10)
        return b"\xc7\x05" + away.to_bytes(4, "little", signed=True) + (1).to_bytes(4, "little")
    return assemble(re.sub(r"\bL(\d+)", lambda label: hex(places[int(label[1])]), part), at)


def flow(*parts: str) -> tuple[Flow, list[int]]:
    image, places = made(*parts)
    return Flow(image, image.symbols["text_poke_bp_batch"]), places  # type: ignore[arg-type] # enough of one


def test_calls_are_found_by_what_they_call() -> None:
    found, places = flow(f"call {SYNC:#x}", f"call {POKE:#x}", "call rax", f"call {SYNC:#x}", "ret")
    assert found.calls(["text_poke_sync"]) == (places[0], places[3])
    assert found.calls(["text_poke_sync", "__text_poke"]) == (places[0], places[1], places[3])
    assert found.calls(["unknown"]) == ()


def test_what_can_follow_an_instruction() -> None:
    found, places = flow("je L3", "nop", "ret", "jmp L5", "nop", f"jmp {THUNK:#x}", "nop")
    reachable = found.reachable(places[0])
    assert {places[1], places[2], places[3], places[5]} <= reachable
    assert not {places[0], places[4], places[6]} & reachable
    assert found.returns() == (places[2], places[5])


def test_a_loop_reaches_itself_and_ends() -> None:
    found, places = flow("nop", "jne L0", "jmp L2")
    assert places[0] in found.reachable(places[0])
    assert places[2] in found.reachable(places[2])
    assert found.following(places[2]) is None  # it never goes on


def test_where_execution_goes_on_is_past_jumps() -> None:
    found, places = flow(f"call {SYNC:#x}", "jmp L4", "nop", "ret", "jmp L2")
    assert found.following(places[0]) == places[2]
    assert found.following(places[2]) == places[3]
    assert found.following(places[4]) is None


BATCH = (
    "push rbx",  # 0
    "arm",
    "nop",
    f"call {POKE:#x}",  # 3: the breakpoints
    "jne L3",
    f"call {SYNC:#x}",  # 5: the first sync
    "test eax, eax",
    f"call {POKE:#x}",  # 7: tails
    "jne L7",
    "je L13",  # 9: the second one stands behind the end
    f"call {POKE:#x}",  # 10: first bytes
    "jne L15",
    "jmp L17",
    f"call {SYNC:#x}",  # 13: the second
    "jmp L10",
    f"call {SYNC:#x}",  # 15: the third
    "jmp L17",
    "dec ebx",  # 17: until the handler is out
    "jne L17",
    "ret",
)
"""As gcc lays it out: an order of addresses is none of execution."""


def test_phases_are_known_by_what_can_still_follow() -> None:
    image, places = made(*BATCH)
    assert phase_places(image) == {  # type: ignore[arg-type] # enough of one
        "arm": (places[0],),
        "int3": (places[2],),
        "sync1": (places[5],),
        "tail": (places[6],),
        "sync2": (places[13],),
        "head": (places[10],),
        "sync3": (places[15],),
        "drain": (places[17],),
        "done": (places[19],),
    }
    assert set(phase_places(image)) == set(PHASES)  # type: ignore[arg-type] # as above


def test_syncs_are_told_apart_by_the_flow_not_by_addresses() -> None:
    """The second and the third change places."""
    moved = list(BATCH)
    moved[9], moved[11] = "je L15", "jne L13"
    moved[14], moved[16] = "jmp L17", "jmp L10"
    image, places = made(*moved)
    found = phase_places(image)  # type: ignore[arg-type] # as above
    assert (found["sync2"], found["sync3"]) == ((places[15],), (places[13],))
    assert (found["head"], found["drain"]) == ((places[10],), (places[17],))


@pytest.mark.parametrize("number", [5, 13, 15])
def test_a_function_with_another_number_of_syncs_has_no_phases(number: int) -> None:
    changed = list(BATCH)
    changed[number] = "nop"
    assert phase_places(made(*changed)[0]) == {}  # type: ignore[arg-type] # as above


def test_a_kernel_without_the_function_has_no_phases() -> None:
    image, _ = made(*BATCH)

    class Other(Image):
        @property
        def symbols(self) -> Symbols:
            return Symbols([Symbol("text_poke_sync", SYNC, 16, "func")])

    assert phase_places(Other(image.code)) == {}  # type: ignore[arg-type] # as above
