"""Plans: what the patcher will do, as data, step by step.

A plan is a tuple of steps, each one move of the patcher. Its state is (plan, index) and nothing
else, so it can be shown, cut, reordered, saved and restored; everything that guest and patcher
share lies in guest memory. Addresses are virtual, as the kernel maps them.

Phases bear the names of the protocol, everywhere: arm int3 sync1 tail sync2 head sync3 drain
done (Linux arch/x86/kernel/alternative.c, text_poke_bp_batch).
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

PHASES: Final = ("arm", "int3", "sync1", "tail", "sync2", "head", "sync3", "drain", "done")


@dataclass(frozen=True, slots=True)
class Phase:
    """From here on the patcher is in this phase, one of PHASES."""

    name: str


@dataclass(frozen=True, slots=True)
class Check:
    """The bytes at `address` must be these, or the patcher refuses the plan."""

    address: int
    expected: bytes


@dataclass(frozen=True, slots=True)
class Store:
    """Store at most eight bytes."""

    address: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Rmw:
    """Add to an aligned u32, atomically (an atomic decrement adds -1)."""

    address: int
    addend: int


@dataclass(frozen=True, slots=True)
class Ipi:
    """Send a fixed interrupt to the cores of a bit mask."""

    vector: int
    cores: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until every one of these u32 words has its value.

    condition: its name, for people. words: (address, value) of each.
    """

    condition: str
    words: tuple[tuple[int, int], ...]


Step: TypeAlias = Phase | Check | Store | Rmw | Ipi | Wait


@dataclass(frozen=True, slots=True)
class Change:
    """One site that a plan rewrites: where, and the whole instruction before and after."""

    address: int
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps, and what they change. name: what people call it ("patch vfs_read in")."""

    name: str
    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
