"""Plans as plain data: what a schedule keeps of them, and the way back.

A step is a list whose first element is its word:

    ["phase", "arm"]
    ["check", ADDRESS, BYTES]
    ["store", ADDRESS, BYTES]             at most eight bytes
    ["rmw", ADDRESS, ADDEND]              an aligned u32
    ["ipi", VECTOR, CORES]                CORES is a bit mask
    ["wait", CONDITION, [[ADDRESS, VALUE], ...]]

Addresses and bytes are lower-case hex. A change is [ADDRESS, OLD, NEW].
"""

from typing import Final, assert_never

from emu.moves.json_value import Value
from emu.moves.plan import PHASES, Change, Check, Ipi, Phase, Plan, Rmw, Step, Store, Wait

MAX_STEPS: Final = 100_000
MAX_CHANGES: Final = 10_000
MAX_CHECK: Final = 4096
MAX_INSTRUCTION: Final = 15
MAX_LABEL: Final = 200
"""Steps and changes of a plan; bytes of a check and of a change; characters of a name."""

MAX_WORDS: Final = 9
"""Words of a wait: one for each of eight cores and one more (`wait` in emu/machine/state.py)."""


def to_json(plan: Plan) -> dict[str, object]:
    """Return a plan as objects, lists, text and numbers."""
    return {
        "name": label(plan.name),
        "steps": [_step_to_json(step) for step in plan.steps],
        "changes": [[f"{c.address:x}", c.old.hex(), c.new.hex()] for c in plan.changes],
    }


def from_json(value: Value, cores: int) -> Plan:
    """Return the plan in a file, for a machine with so many cores; BadSchedule if it is none."""
    fields = value.fields(("name", "steps", "changes"))
    return Plan(
        name=fields["name"].label(MAX_LABEL),
        steps=tuple(_step(step, cores) for step in fields["steps"].items(0, MAX_STEPS)),
        changes=tuple(_change(change) for change in fields["changes"].items(0, MAX_CHANGES)),
    )


def label(text: str, most: int = MAX_LABEL) -> str:
    """Return text that may hold names from an image as a label: printable, and short enough."""
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return shown[:most] or "?"


def _step_to_json(step: Step) -> list[object]:
    match step:
        case Phase(name):
            return ["phase", name]
        case Check(address, expected):
            return ["check", f"{address:x}", expected.hex()]
        case Store(address, data):
            return ["store", f"{address:x}", data.hex()]
        case Rmw(address, addend):
            return ["rmw", f"{address:x}", addend]
        case Ipi(vector, cores):
            return ["ipi", vector, cores]
        case Wait(condition, words):
            return ["wait", label(condition), [[f"{at:x}", value] for at, value in words]]
    assert_never(step)


def _step(value: Value, cores: int) -> Step:
    items = value.items(2, 3)
    word, second = items[0].word(("phase", "check", "store", "rmw", "ipi", "wait")), items[1]
    if word == "phase":
        value.items(2, 2)
        return Phase(second.word(PHASES))
    third = value.items(3, 3)[2]
    if word == "ipi":
        return Ipi(second.number(16, 255), third.number(0, (1 << cores) - 1))
    if word == "wait":
        words = (pair.items(2, 2) for pair in third.items(0, MAX_WORDS))
        pairs = tuple((at.address(4), awaited.number(0, (1 << 32) - 1)) for at, awaited in words)
        return Wait(second.label(MAX_LABEL), pairs)
    if word == "rmw":
        address = second.address(4)
        if address % 4:
            raise second.bad(f"is {address:x}, but must be a multiple of 4")
        return Rmw(address, third.number(-(1 << 31), (1 << 31) - 1))
    data = third.hexadecimal(1, 8 if word == "store" else MAX_CHECK)
    address = second.address(len(data))
    return Store(address, data) if word == "store" else Check(address, data)


def _change(value: Value) -> Change:
    address, old, new = value.items(3, 3)
    before = old.hexadecimal(1, MAX_INSTRUCTION)
    after = new.hexadecimal(len(before), len(before))
    return Change(address.address(len(before)), before, after)
