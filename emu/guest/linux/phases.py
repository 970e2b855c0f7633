"""Where in text_poke_bp_batch each phase of a patch begins.

The function has no names for its phases, but calls that tell them apart: it waits three times until
every CPU has serialised itself, and which of the three a call is, is told by how many of them can
still follow it. After the first come the tails, after the second (which is left out where no
instruction has a tail) the first bytes. Each address here is reached once for each batch, by the
core that patches. Source: arch/x86/kernel/alternative.c, text_poke_bp_batch; since 6.16
smp_text_poke_batch_finish.
"""

from typing import Final

from emu.errors import BadImage, BadSymbol
from emu.guest.linux.flow import Flow
from emu.image.linux_image import LinuxImage

FUNCTIONS: Final = ("text_poke_bp_batch", "smp_text_poke_batch_finish")
_SYNC: Final = (
    "text_poke_sync",
    "smp_text_poke_sync_each_cpu",
    "on_each_cpu_cond_mask",  # either is inlined into its caller
)
_DESCRIPTOR: Final = "bp_desc"
_SYNCS: Final = 3


def phase_places(image: LinuxImage) -> dict[str, tuple[int, ...]]:
    """Return addresses by phase, in the words of `moves.plan.PHASES`; "drain": the handler is out.

    Empty if the kernel patches in a way that this does not know.
    """
    symbol = next((found for name in FUNCTIONS if (found := image.symbols.get(name))), None)
    if symbol is None:
        return {}
    try:
        flow = Flow(image, symbol)
    except BadImage:
        return {}
    syncs = flow.calls(_SYNC)
    rest = {call: len(flow.reachable(call).intersection(syncs)) for call in syncs}
    ordered = sorted(syncs, key=rest.__getitem__, reverse=True)
    if [rest[call] for call in ordered] != [*reversed(range(_SYNCS))]:
        return {}
    after = [flow.following(call) for call in ordered]
    armed = flow.stores(_references(image), 1)
    begins = flow.following(armed[0]) if armed else None
    places = {
        "arm": (symbol.address,),
        "int3": () if begins is None else (begins,),
        **{f"sync{number}": (call,) for number, call in enumerate(ordered, 1)},
        **{
            name: () if address is None else (address,)
            for name, address in zip(("tail", "head", "drain"), after, strict=True)
        },
        "done": flow.returns(),
    }
    return {name: found for name, found in places.items() if found}


def _references(image: LinuxImage) -> int:
    """Return where the count is that is 1 while the int3 handler is armed; 0 if nowhere."""
    symbol = image.symbols.get(_DESCRIPTOR)
    try:
        offset = image.types.struct("bp_patching_desc").member("refs").offset
    except (BadSymbol, BadImage):
        return 0
    return 0 if symbol is None else symbol.address + offset
