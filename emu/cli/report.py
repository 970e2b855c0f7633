"""Reports for people and for scripts: plain words first, then every core, then the last moves."""

import dataclasses
from collections.abc import Iterator

from emu.timeline import vectors
from emu.timeline.place import Place
from emu.timeline.report import Core, Made, Report


def lines(report: Report) -> Iterator[str]:
    """Yield a report for standard error, without its sentence."""
    for core in report.cores:
        if core.standing.activity != "waits":
            yield from _core(core)
    waiting = [str(c.standing.core) for c in report.cores if c.standing.activity == "waits"]
    if waiting:
        cores = "core" if len(waiting) == 1 else "cores"
        waits = "waits" if len(waiting) == 1 else "wait"
        yield f"{cores} {', '.join(waiting)}: {waits} for the start-up IPI"
    if report.moves:
        moves = "move" if len(report.moves) == 1 else f"{len(report.moves)} moves"
        yield f"the last {moves}, and where the core stood before:"
        width = max(len(made.text) for made in report.moves)
        for made in report.moves:
            yield f"  {made.text:{width}}  {_short(made)}".rstrip()


def _core(core: Core) -> Iterator[str]:
    standing = core.standing
    yield f"core {standing.core}: {standing.activity}, RIP {_place(core.place)}"
    paging = f"CR3 {standing.cr3:#x}, " if standing.paging else "no paging, "
    interrupts = "on" if standing.interrupts else "off"
    mode = "real mode" if standing.mode == "real" else f"{standing.mode} ring {standing.ring}"
    yield (
        f"  RSP {standing.rsp:#x}, CR2 {standing.cr2:#x}, {paging}{mode}, interrupts {interrupts}"
    )
    for trap in core.traps:
        more = " or more" if trap.more else ""
        times = f", {trap.times:,}{more} times" if trap.times > 1 else ""
        source = f" {trap.place.source}" if trap.place.source else ""
        yield f"  {trap}{source}{times}"


def _place(place: Place) -> str:
    source = f" {place.source}" if place.source else ""
    return f"{place}{source}"


def _short(made: Made) -> str:
    if made.place is None:
        return ""
    wrong = f", {made.place.wrong}" if made.place.wrong else ""
    return (made.place.symbol or f"{made.place.address:#x}") + wrong


def document(report: Report) -> dict[str, object]:
    """Return a report for scripts."""
    return {
        "sentence": report.sentence,
        "cores": [
            {**dataclasses.asdict(core.standing), **_located(core.place), "traps": _traps(core)}
            for core in report.cores
        ],
        "moves": [
            {"move": made.text, **(_located(made.place) if made.place else {})}
            for made in report.moves
        ],
    }


def _located(place: Place) -> dict[str, object]:
    return {
        "rip": place.address,
        "symbol": place.symbol,
        "source": place.source,
        "wrong": place.wrong,
    }


def _traps(core: Core) -> list[dict[str, object]]:
    return [
        {
            "vector": trap.vector,
            "name": vectors.name(trap.vector),
            "error": trap.error,
            "rsp": trap.stack,
            "times": trap.times,
            "more": trap.more,
            **_located(trap.place),
        }
        for trap in core.traps
    ]
