"""Canonical rows: two tables of moves are equal exactly if their moves are.

A recorder leaves in the unused fields of a row whatever was there; `move` says which are used.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.moves import fault, move

_USED: Final = {
    "actor": (move.RUN, move.FETCH, move.TICK, move.DELIVER, move.INPUT, move.FAULT),
    "length": (move.FETCH, move.INPUT, move.FAULT),
    "vector": (move.FAULT,),
    "count": (move.RUN, move.REQUEST, move.DELIVER, move.FAULT),
}


def canonical(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Return a copy in which only what a move means is set, read-only.

    Raises:
        ValueError: a row is not a move. Whether there is such a core or plan is not asked.
    """
    kept = np.zeros(len(rows), move.ROW)
    kept["kind"] = rows["kind"]
    for name, kinds in _USED.items():
        kept[name] = np.where(np.isin(rows["kind"], kinds), rows[name], 0)
    faults = kept["kind"] == move.FAULT
    kept["vector"][faults & (kept["length"] == fault.FREEZE_FLOOR)] = 0
    kept["count"][faults & (kept["length"] != fault.DELAY_IPI)] = 0
    bytes_used = np.where(faults, 0, kept["length"])[:, None]
    kept["ages"] = np.where(np.arange(move.MAX_BYTES) < bytes_used, rows["ages"], 0)
    _check(kept)
    kept.flags.writeable = False
    return kept


def _check(rows: NDArray[np.void]) -> None:
    kind, length, count = rows["kind"], rows["length"], rows["count"]
    faults = kind == move.FAULT
    delays = faults & (length == fault.DELAY_IPI)
    with_bytes = (kind == move.FETCH) | (kind == move.INPUT)
    wrong = {
        "a row is not a move": (kind < move.RUN) | (kind > move.FAULT),
        "a move without bytes, or too many": with_bytes
        & ((length < 1) | (length > move.MAX_BYTES)),
        "a move without instructions": ((kind == move.RUN) | delays) & (count < 1),
        "a vector above 255": (kind == move.DELIVER) & (count > 255),
        "no such device": (kind == move.INPUT) & (rows["actor"] >= len(move.DEVICES)),
        "no such fault": faults & ((length < fault.DROP_IPI) | (length > fault.FREEZE_FLOOR)),
    }
    for reason, where in wrong.items():
        if np.any(where):
            raise ValueError(reason)
