"""The cores of a scene: where each stands, what it may fetch, and whether it has serialised."""

from dataclasses import dataclass

from emu.machine import state as st
from emu.scene.look import Look, Place
from emu.scene.scene import ACTIVITIES, Byte, Core, Site, version

_OF_WORD = 32  # vectors in a word of IRR and ISR


@dataclass(frozen=True, slots=True)
class Request:
    """How far the interrupt has got that asks a core to serialise.

    serving: the core is in its handler. pending: it is there, and the core has not taken it.
    held: it is held back (fault delay-ipi) and will come.
    """

    serving: bool
    pending: bool
    held: bool


def request(look: Look, core: int) -> Request:
    """Return how far the request to serialise has got at a core. Source: SDM 3A, 11.8.4."""
    state, vector = look.machine.state, look.sync_vector
    if vector is None:
        return Request(False, False, False)
    word, bit = divmod(vector, _OF_WORD)
    delayed = state.delayed[: state.m[st.M_DELAYED]]
    return Request(
        bool(state.apic[core, st.A_ISR + word] >> bit & 1),
        bool(state.apic[core, st.A_IRR + word] >> bit & 1),
        bool(((delayed[:, st.D_CORE] == core) & (delayed[:, st.D_VECTOR] == vector)).any()),
    )


def sites(look: Look) -> tuple[Site, ...]:
    """Return the sites as memory has them."""
    return tuple(_site(look, each) for each in look.sites)


def _site(look: Look, place: Place) -> Site:
    memory = look.memory(place.address, len(place.old))
    return Site(
        place.function,
        place.address,
        place.old,
        place.new,
        _bytes(memory, memory, place),
        *(_decoded(look, place, code) for code in (memory, place.old, place.new)),
    )


def cores(look: Look) -> tuple[Core, ...]:
    """Return the cores."""
    return tuple(_core(look, number) for number in range(look.machine.cores))


def _core(look: Look, number: int) -> Core:
    standing, task = look.standing[number], look.on_core.get(number)
    fetched = [
        look.versions.oldest(number, look.physical(each.address, len(each.old)))
        for each in look.sites
    ]
    waiting = _waiting(look, number)
    return Core(
        number,
        str(task or look.guest.current(number) or "?"),
        standing.rip,
        look.names.place(standing.rip),
        ACTIVITIES[int(look.machine.state.core[number, st.C_STATE])],
        standing.interrupts,
        tuple(
            _bytes(code, look.memory(each.address, len(code)), each)
            for code, each in zip(fetched, look.sites, strict=True)
        ),
        tuple(_decoded(look, each, code) for code, each in zip(fetched, look.sites, strict=True)),
        not waiting,
        waiting,
    )


def _waiting(look: Look, core: int) -> str:
    """Return why a core has not serialised since a site was last stored to; "" if it has."""
    behind = any(
        look.versions.behind(core, look.physical(each.address, len(each.old)))
        for each in look.sites
    )
    if not behind:
        return ""
    asked = request(look, core)
    if asked.serving:
        return "in the handler"
    if not (asked.pending or asked.held):
        own = look.rewriting
        return "its sync was lost" if own and own.batch.synced >> core & 1 else "not asked"
    return "IPI on its way" if look.standing[core].interrupts else "interrupts off"


def _bytes(values: bytes, memory: bytes, place: Place) -> tuple[Byte, ...]:
    return tuple(
        Byte(value, newest, version(value, old, new, index))
        for index, (value, newest, old, new) in enumerate(
            zip(values, memory, place.old, place.new, strict=True)
        )
    )


def _decoded(look: Look, place: Place, code: bytes) -> str:
    """Return bytes at a site as text; that its trampoline is its own needs no more words."""
    text = look.decoded(code, place.address)
    return text.replace(f"trampoline of {place.function}", "its trampoline")
