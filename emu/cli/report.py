"""Reports for people and for scripts: plain words first, then every core, then the last moves.

For scripts, addresses and registers are hex text, as in schedules and in `replay --fetches`: many
readers of JSON would round the numbers of a kernel's addresses.
"""

import dataclasses
from collections.abc import Iterator
from typing import Final

from emu.machine.standing import GENERAL
from emu.timeline import vectors
from emu.timeline.place import Place
from emu.timeline.report import Core, Made, Report

_ROWS: Final = (
    ("rax", "rbx", "rcx", "rdx"), ("rsi", "rdi", "rbp", "rsp"),
    ("r8", "r9", "r10", "r11"), ("r12", "r13", "r14", "r15"),
)  # fmt: skip


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
        count = sum(made.times for made in report.moves)
        moves = "move" if count == 1 else f"{count} moves"
        yield f"the last {moves}, and where the core stood before:"
        width = max(len(made.text) for made in report.moves)
        for made in report.moves:
            times = f"  \N{MULTIPLICATION SIGN} {made.times}" if made.times > 1 else ""
            yield f"  {made.text:{width}}  {_short(made)}".rstrip() + times


def _core(core: Core) -> Iterator[str]:
    standing = core.standing
    yield f"core {standing.core}: {standing.activity}, RIP {_place(core.place)}"
    paging = f"CR3 {standing.cr3:#x}, " if standing.paging else "no paging, "
    interrupts = "on" if standing.interrupts else "off"
    mode = "real mode" if standing.mode == "real" else f"{standing.mode} ring {standing.ring}"
    yield f"  code {core.code.hex(' ') or 'cannot be read'}"
    yield (
        f"  {mode}, interrupts {interrupts}, {paging}CR2 {standing.cr2:#x}, "
        f"RFLAGS {standing.rflags:#x}"
    )
    values = dict(zip(GENERAL, standing.registers, strict=True))
    for names in _ROWS:
        yield "  " + " ".join(f"{name.upper():3} {values[name]:016x}" for name in names)
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
            {**_stands(core), **_located(core.place), "traps": _traps(core)}
            for core in report.cores
        ],
        "moves": [
            {"move": made.text, "times": made.times, **_located_if(made.place)}
            for made in report.moves
        ],
    }


def _stands(core: Core) -> dict[str, object]:
    standing = core.standing
    return {
        **dataclasses.asdict(standing),
        **{name: f"{getattr(standing, name):#x}" for name in ("cr2", "cr3", "rflags")},
        "registers": {
            name: f"{value:#x}" for name, value in zip(GENERAL, standing.registers, strict=True)
        },
        "code": core.code.hex(),
    }


def _located_if(place: Place | None) -> dict[str, object]:
    return _located(place) if place else {}


def _located(place: Place) -> dict[str, object]:
    return {
        "rip": f"{place.address:#x}",
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
            "rsp": f"{trap.stack:#x}",
            "times": trap.times,
            "more": trap.more,
            **_located(trap.place),
        }
        for trap in core.traps
    ]
