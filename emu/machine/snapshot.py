"""Snapshots: the whole machine at one moment, as a value.

What is kept is what the future depends on, nothing of the engine: of every core its
architectural registers (`registers`), all RAM, the lines that were fetched, and every table and
scalar of `state` that is not declared scratch there. So a snapshot can be put back into the same
machine or into another one of the same setup, in any process, and both go on alike: same
moves, same events, same state hash.

Not kept: what watches (probes, events that were made, recorded moves, output that was sent) and
what the engine remembers for speed. A guest that changes page tables and does not flush the
TLB may see the flush that comes with saving and putting back, as on any machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.machine import pages, registers
from emu.machine import state as st
from emu.machine.engines import Engine
from emu.machine.pages import Ram
from emu.machine.setup import Setup
from emu.machine.state import State


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A machine at one moment.

    Attributes:
        setup: of the machine.
        registers: of each core, as `registers.canonical_registers` gives them.
        scalars: int64 [M_TABLES], scratch ones 0.
        tables: by name, those of `state.KEPT_TABLES`, as far as their rows are in use.
        ram: all RAM, and which lines were fetched.
    """

    setup: Setup
    registers: tuple[bytes, ...]
    scalars: NDArray[np.int64]
    tables: Mapping[str, NDArray[np.int64] | NDArray[np.uint8]]
    ram: Ram


def take(s: State, setup: Setup, ram: Ram) -> Snapshot:
    """Return the machine as it is now, `ram` being its RAM. Changes nothing."""
    scalars = s.m[: st.M_TABLES].copy()
    scalars[list(st.SCRATCH_SCALARS)] = 0
    tables = {}
    for name in st.KEPT_TABLES:
        tables[name] = getattr(s, name)[: _rows(name, scalars)].copy()
        tables[name].flags.writeable = False
    scalars.flags.writeable = False
    cores = range(setup.cores)
    return Snapshot(
        setup,
        tuple(registers.canonical_registers(s, core, started=True) for core in cores),
        scalars,
        tables,
        ram,
    )


def _rows(name: str, scalars: NDArray[np.int64]) -> int | None:
    used = st.ROWS_IN_USE.get(name)
    return None if used is None else int(scalars[used])


def ram_now(s: State, known: Ram | None) -> Ram:
    """Return all RAM; `known` is what it was when `dirty` was last cleared."""
    if known is None:
        return pages.scan(s)
    return pages.updated(s, known, dirty_pages(s))


def dirty_pages(s: State) -> list[int]:
    """Return the numbers of the pages that may have changed."""
    return [int(page) for page in s.dirty_pages[: s.m[st.M_DIRTY]]]


def put_back(
    s: State, snapshot: Snapshot, known: Ram, pristine: NDArray[np.uint8], engine: Engine
) -> None:
    """Let a machine be as it was.

    known: as for `ram_now`. pristine: CPUX86State of the engine before it ran.
    """
    changed = sorted({*dirty_pages(s), *pages.differing(known, snapshot.ram)})
    for row in s.history[: s.m[st.M_HISTORY], st.H_ADDRESS]:
        s.lines[row // st.LINE] &= 0xFF ^ st.LINE_LIVE
    pages.write_pages(s, changed, snapshot.ram, engine)
    engine.dirty.clear(s)
    kept = np.ones(st.M_TABLES, bool)
    kept[list(st.SCRATCH_SCALARS)] = False
    s.m[: st.M_TABLES][kept] = snapshot.scalars[kept]
    for name, rows in snapshot.tables.items():
        getattr(s, name)[: len(rows)] = rows
    engine.text.mark_live(s)
    s.m[st.M_CURRENT] = -1
    for core, canonical in enumerate(snapshot.registers):
        s.env[core] = registers.engine_registers(pristine, canonical)
    for page in pages.unguarded(s, changed):
        engine.guards.guard(s, page * st.PAGE, (page + 1) * st.PAGE)
