"""What becomes of syncs that a core loses, where no harm comes of them: why the kernel survives."""

from collections.abc import Mapping
from typing import Final

from emu.detect.kernel_fetches import Harmless

_EXECUTED: Final[dict[Harmless, str]] = {
    "whole": "an old instruction that was whole",
    "acted out": "a stale int3 that the handler of text_poke acted out",
    "gone": "a stale int3 that the handler of text_poke did not know and that of kprobes took "
    "(up to Linux 6.1, it goes back to an instruction whose int3 is gone)",
}


def lost_syncs(core: int, lost: int, harmless: Mapping[tuple[int, Harmless], int]) -> str:
    """Return what a core executed before it serialised by itself, and did no harm, in a sentence.

    lost: how many syncs. harmless: see `KernelFetches`.
    """
    executed = [
        f"{words}, {times(count)}"
        for what, words in _EXECUTED.items()
        if (count := harmless.get((core, what), 0))
    ]
    what = "; ".join(executed) or "nothing that was stale"
    return f"core {core} lost {_syncs(lost)}; without harm it then executed {what}"


def _syncs(count: int) -> str:
    return "a sync" if count == 1 else f"{count:,} syncs"


def times(count: int) -> str:
    """Return how often, in words."""
    return "once" if count == 1 else f"{count:,} times"
