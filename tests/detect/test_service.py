"""Which bodies are in service, by what plans do to sites."""

from emu.detect.service import Service, out_of_service
from emu.detect.watch import Watched, Way
from emu.moves.plan import PHASES, Change, Ipi, Phase, Plan, Step, Store
from emu.patch.text_poke import NOP5

CALLED = b"\xe8\x78\x56\x34\x12"


def steps(*groups: tuple[str, Step | None]) -> Plan:
    """Return a plan with these phases, for two sites."""
    made = [step for name, one in groups for step in (Phase(name), one) if step is not None]
    changes = Change(0x10, NOP5, CALLED), Change(0x20, NOP5, CALLED)
    return Plan("p", tuple(made), changes)


def test_the_old_instructions_are_gone_when_cores_are_told_after_the_last_was_overwritten() -> None:
    def gone(*groups: tuple[str, Step | None]) -> str | None:
        found = out_of_service(steps(*groups))
        return None if found is None else PHASES[found]

    first, second, tell = Store(0x10, b"\xcc"), Store(0x20, b"\xcc"), Ipi(0xF0, 3)
    assert gone(("int3", first), ("arm", second), ("sync1", tell)) == "sync1"
    assert gone(("int3", first), ("sync1", tell)) is None
    assert gone(("int3", first), ("sync1", tell), ("tail", second), ("sync2", tell)) == "sync2"
    assert gone(("sync1", tell), ("int3", first), ("tail", second)) is None
    both = Store(0x0C, bytes(25))  # from before the first to the end of the second
    assert gone(("sync1", tell), ("head", both), ("sync3", tell)) == "sync3"
    elsewhere = Store(0x15, bytes(11))  # up to the second
    assert gone(("int3", first), ("head", elsewhere), ("sync3", tell)) is None
    back = Store(0x10, NOP5)
    assert gone(("int3", first), ("arm", back), ("tail", second), ("sync1", tell)) is None


def test_what_a_plan_does_to_the_bodies_of_those_it_changes() -> None:
    high = 0xFFFFFFFF80202640
    watched = (
        Watched("f", 0x30, (Way(NOP5, 0x35), Way(CALLED, 0x1000))),
        Watched("g", 0x10, (Way(NOP5, 0x15), Way(CALLED, high))),
        Watched("h", 0x20, (Way(NOP5, 0x25),)),
    )
    found = Service.of(steps(("int3", Store(0x10, bytes(21))), ("sync1", Ipi(0xF0, 3))), watched)
    kept = high - (1 << 64)
    assert found.phase == PHASES.index("sync1")
    assert dict(found.during) == {1: frozenset({0x15, kept}), 2: None}
    assert dict(found.after) == {1: frozenset({kept}), 2: None}
