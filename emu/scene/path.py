"""The call path of a scene: the ways from a caller to a body, and who is on them.

`function_path` makes that of a function that is patched from outside, `kernel_path` that of a site
that a kernel changes itself.
"""

from dataclasses import dataclass
from typing import Literal

Role = Literal["caller", "function", "int3", "trampoline", "replacement"]
Open = Literal["yes", "some cores", "no"]


@dataclass(frozen=True, slots=True)
class Node:
    """A station.

    Attributes:
        cores: those that stand in it. waiting: how many tasks stand in it without one.
        address: of its first instruction; None: it has none, as "its callers".
    """

    role: Role
    title: str
    detail: str
    cores: tuple[int, ...]
    waiting: int
    address: int | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one station to the next.

    open: whether a call that is made now can take it. taken: the cores on it: they stand in
    `target` and came by it.
    """

    source: Role
    target: Role
    label: str
    open: Open
    taken: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CallPath:
    """The ways of one function. caller: the name of the last caller seen, or "its callers"."""

    function: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
