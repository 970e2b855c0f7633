"""What a core does at an int3 is what the new instruction does, for every kind of instruction.

cmdline_proc_show is redirected to a body in the arena whose second instruction is then
rewritten; what it returns lands in cpus[n].last_read, per core. While the patcher is held after
sync1, every core meets the int3 and must already behave as the new instruction does.
"""

from dataclasses import dataclass

import pytest

from emu.image.objects import Object
from emu.lab import Lab
from emu.machine.events import TRAP
from emu.patch.redirect import Redirect
from emu.patch.text_poke import TextPoke, text_poke_bp_batch
from tests.labs import BOUND, FUNCTION, in_and_out, loaded, only

ENOUGH = 40_000  # instructions in which every core calls the function
FIRST, SECOND = 101, 102
BODY = 16  # offset of the instruction from the replacement's start


@dataclass(frozen=True)
class Case:
    """before: sets the scene. old, new: the instruction. Old falls through to a ret."""

    name: str
    old: str
    new: str
    before: str = "nop"
    after: str = "ret\nmov eax, 102\nret"
    expected: tuple[int, int] = (FIRST, SECOND)  # what the function returns before and after


FALLS = "mov eax, 102\nret"
NOP6 = "660f1f440000"
CASES = [
    Case("nop2 to jmp8", "6690", "eb01"),
    Case("jmp8 to nop2", "eb01", "6690", expected=(SECOND, FIRST)),
    Case("nop5 to jmp32", "0f1f440000", "e901000000"),
    Case("nop5 to call", "0f1f440000", "e801000000", after="ret\nmov eax, 102\npop rdx\nret"),
    Case("nop1 to ret", "90", "c3", after=FALLS, expected=(SECOND, FIRST)),
    Case("nop5 to ret, padded", "0f1f440000", "c3cccccccc", after=FALLS, expected=(SECOND, FIRST)),
    Case("nop2 to je, taken", "6690", "7401", before="cmp eax, eax"),
    Case("nop2 to je, not taken", "6690", "7401", before="cmp rsp, 0", expected=(FIRST, FIRST)),
    Case("nop2 to jne, taken", "6690", "7501", before="cmp rsp, 0"),
    Case("nop6 to je, taken", NOP6, "0f8401000000", before="cmp eax, eax"),
    Case("nop6 to jne, not", NOP6, "0f8501000000", before="cmp eax, eax", expected=(FIRST, FIRST)),
    Case("nop6 to jl, taken", NOP6, "0f8c01000000", before="cmp rsp, 0"),
]


def last_reads(lab: Lab) -> set[int]:
    """Return what the function last returned, on each core."""
    cpus = lab.guest.objects["cpus"]
    assert isinstance(cpus, Object)
    return {int(cpus[core].last_read) for core in range(lab.machine.cores)}  # type: ignore[union-attr] # an Object


def body(lab: Lab, case: Case) -> Redirect:
    """Let the function be the case's body, with the old instruction; the instruction is at BODY."""
    site = ".byte " + ", ".join(f"{byte:#x}" for byte in bytes.fromhex(case.old))
    source = f"mov eax, {FIRST}\n{case.before}\n.balign 16, 0x90\n{site}\n{case.after}\n"
    redirect = lab.arena.redirect(FUNCTION, source)
    lab.watch([redirect])
    lab.carry_out(lab.plan([redirect], inward=True)[0], instructions=BOUND)
    lab.run(instructions=ENOUGH)
    return redirect


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_handler_does_what_the_new_instruction_does(case: Case) -> None:
    lab = loaded("sdm", seed=11)
    old, new = bytes.fromhex(case.old), bytes.fromhex(case.new)
    place = body(lab, case).replacement + BODY
    (was,) = last_reads(lab)

    batch = [TextPoke(place, old, new)]
    lab.request(text_poke_bp_batch(lab.guest, batch).plan("body"))
    lab.run(instructions=BOUND, stop=lambda: lab.patcher.phase in ("tail", "head"))
    assert lab.guest.read(place, 1) == b"\xcc"
    everybody = lab.chooser
    lab.choose(only(3, 0, 1, 2, 3))
    lab.run(instructions=ENOUGH)
    acted = last_reads(lab)
    lab.choose(everybody)
    lab.run(instructions=BOUND, stop=lambda: lab.patcher.done)
    assert lab.guest.read(place, len(new)) == new
    lab.run(instructions=ENOUGH)
    done = last_reads(lab)
    assert lab.machine.alive
    assert acted == done
    before, after = case.expected
    assert (was, done) == (before, {after})


@pytest.mark.parametrize("case", CASES[:4], ids=[case.name for case in CASES[:4]])
def test_there_and_back_under_load(case: Case) -> None:
    lab = loaded("sdm", seed=12)
    old, new = bytes.fromhex(case.old), bytes.fromhex(case.new)
    place = body(lab, case).replacement + BODY
    there = text_poke_bp_batch(lab.guest, [TextPoke(place, old, new)]).plan("there")
    back = text_poke_bp_batch(lab.guest, [TextPoke(place, new, old)]).plan("back")
    in_and_out(lab, (there, back), 20)
    assert lab.machine.alive
    assert lab.guest.read(place, len(old)) == old
    assert last_reads(lab) <= {FIRST, SECOND}
    traps = [lab.machine.events[n] for n in range(len(lab.machine.events))]
    assert any(e.kind == TRAP and e.a == 3 and e.address + (1 << 64) == place + 1 for e in traps)
