"""A call path in words, for tooltips and screen readers."""

from collections.abc import Sequence
from typing import Final

from emu.scene.path import CallPath, Edge, Node, Open

OPEN: Final[dict[Open, str]] = {
    "yes": "open",
    "some cores": "open to some cores",
    "no": "closed",
}


def describe(path: CallPath) -> str:
    """Return where each core and each waiting task is, and which ways are open."""
    titles = {node.role: node.title for node in path.nodes}
    stations = [sentence for node in path.nodes if (sentence := standing(node))]
    ways = [
        f"From {titles[edge.source]} to {titles[edge.target]}: {way(edge)}."
        for edge in path.edges
        if edge.source in titles and edge.target in titles
    ]
    return " ".join([*(stations or ["Nobody is on the way."]), *ways])


def station(node: Node) -> str:
    """Return everything about a station."""
    parts = [f"{node.title}: {node.detail}." if node.detail else f"{node.title}.", standing(node)]
    return " ".join(part for part in parts if part)


def standing(node: Node) -> str:
    """Return who is in a station, "" if nobody is."""
    sentences = []
    if node.cores:
        verb = "stands" if len(node.cores) == 1 else "stand"
        sentences.append(f"{_cores(node.cores).capitalize()} {verb} in {node.title}.")
    if node.waiting:
        tasks = "1 task waits" if node.waiting == 1 else f"{node.waiting} tasks wait"
        sentences.append(f"{tasks} in {node.title}.")
    return " ".join(sentences)


def way(edge: Edge) -> str:
    """Return what an edge is, whether it is open, and who came by it."""
    came = f"; {_cores(edge.taken)} came by it" if edge.taken else ""
    return f"{edge.label}, {OPEN[edge.open]}{came}"


def _cores(cores: Sequence[int]) -> str:
    if len(cores) == 1:
        return f"core {cores[0]}"
    return f"cores {', '.join(map(str, cores[:-1]))} and {cores[-1]}"
