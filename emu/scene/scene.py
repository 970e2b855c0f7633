"""The picture at a moment: the bytes in memory, as each core would fetch them, and the tasks.

A scene is a value. It is made by looking, which has no effect, and says nothing about how it
should be drawn.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from emu.detect.watch import Watched
from emu.guest.guest import Guest
from emu.image.disasm import decode_one
from emu.machine import state
from emu.scene.chapter import Chapter
from emu.scene.failure import Failure
from emu.scene.listing import Listing
from emu.scene.path import CallPath
from emu.scene.tasks import TaskRow

_INT3 = 0xCC


class Version(enum.Enum):
    """What a byte at a site is, as a core would fetch it."""

    OLD = "old"
    INT3 = "int3"
    NEW = "new"
    BOTH = "both"  # old and new are the same byte
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Byte:
    """A byte at a site. value: the oldest the core may fetch. newest: what memory holds."""

    value: int
    newest: int
    version: Version

    @property
    def stale(self) -> bool:
        """Return whether the core may fetch something that memory no longer holds."""
        return self.value != self.newest


@dataclass(frozen=True, slots=True)
class Site:
    """A site that is being rewritten, in memory.

    Attributes:
        decoded: the instruction that memory holds, as text.
        old_text, new_text: the old and the new instruction.
    """

    function: str
    address: int
    old: bytes
    new: bytes
    memory: tuple[Byte, ...]
    decoded: str = ""
    old_text: str = ""
    new_text: str = ""


@dataclass(frozen=True, slots=True)
class Core:
    """A core: what it does, and the bytes of every site as it would fetch them.

    Attributes:
        rip: the address of its next instruction. place: its name.
        activity: "runs", "halted", "waits to be started", "dead".
        interrupts: whether it takes interrupts.
        sites: for each, the oldest bytes it may fetch.
        decoded: for each, the instruction that these bytes are, as text.
        serialised: whether it has serialised since one of the sites was last stored to. waiting:
            why not yet: "IPI on its way", "interrupts off", "in the handler" of that
            interrupt, "not asked", "its sync was lost" (it answered, and a fault kept it from
            serialising); "" if it has.
    """

    number: int
    task: str
    rip: int
    place: str
    activity: str
    interrupts: bool
    sites: tuple[tuple[Byte, ...], ...]
    decoded: tuple[str, ...]
    serialised: bool
    waiting: str

    @property
    def stale(self) -> bool:
        """Return whether any byte may be fetched as it no longer is."""
        return any(byte.stale for site in self.sites for byte in site)


@dataclass(frozen=True, slots=True)
class Scene:
    """The picture.

    Attributes:
        time: virtual ns. instructions: retired by all cores.
        phase: the protocol's, or what else people call the moment.
        sentence: what just happened, and what the patcher waits for.
        reason: why it does not go on yet, and what keeps the cores safe meanwhile; or "".
        actor: the core that the sentence is about, if there is one.
        chapters: the phases of the plan; empty before there is one.
        tasks, listing, path: None where nobody asked for them.
    """

    time: int
    instructions: int
    phase: str
    sentence: str
    sites: tuple[Site, ...]
    cores: tuple[Core, ...]
    reason: str = ""
    actor: int | None = None
    chapters: tuple[Chapter, ...] = ()
    failure: Failure | None = None
    tasks: tuple[TaskRow, ...] | None = None
    listing: Listing | None = None
    path: CallPath | None = None


def take(guest: Guest, watched: Sequence[Watched], phase: str, sentence: str) -> Scene:
    """Return the picture of a guest's machine at this moment.

    Of each function the first two ways are shown, as the old instruction and the new one.
    """
    machine = guest.machine
    sites = tuple(_site(guest, each) for each in watched)
    cores = tuple(
        Core(
            number,
            str(guest.current(number) or "?"),
            machine.rip(number),
            guest.describe(machine.rip(number)),
            ACTIVITIES[int(machine.state.core[number, state.C_STATE])],
            machine.standing(number).interrupts,
            (seen := tuple(_bytes(guest, number, each) for each in watched)),
            tuple(_decoded(each, at.site) for each, at in zip(seen, watched, strict=True)),
            not any(byte.stale for site in seen for byte in site),
            "",
        )
        for number in range(machine.cores)
    )
    return Scene(machine.now, machine.retired(), phase, sentence, sites, cores)


ACTIVITIES = ("waits to be started", "runs", "halted", "dead")
"""What a core does, by C_STATE."""


def _site(guest: Guest, watched: Watched) -> Site:
    memory = _bytes(guest, None, watched)
    old, new = watched.legal[:2]
    return Site(
        watched.function,
        watched.site,
        old,
        new,
        memory,
        _decoded(memory, watched.site),
        _text(old, watched.site),
        _text(new, watched.site),
    )


def _bytes(guest: Guest, core: int | None, watched: Watched) -> tuple[Byte, ...]:
    """Return the bytes of a site as a core would fetch them at worst, or as memory has them."""
    found = []
    for index, (old, new) in enumerate(zip(*watched.legal[:2], strict=True)):
        physical = guest.physical(watched.site + index)
        newest = guest.machine.read(physical, 1)[0]
        value = newest if core is None else guest.machine.versions(core, physical)[-1]
        found.append(Byte(value, newest, version(value, old, new, index)))
    return tuple(found)


def _decoded(fetched: Sequence[Byte], address: int) -> str:
    return _text(bytes(byte.value for byte in fetched), address)


def _text(code: bytes, address: int) -> str:
    instruction = decode_one(code, address)
    return f"{instruction.mnemonic} {instruction.op_str}".strip()


def version(value: int, old: int, new: int, index: int) -> Version:
    """Return what a byte at a site is. index: its place in the instruction."""
    if old == new == value:
        return Version.BOTH
    if value == old:
        return Version.OLD
    if value == new:
        return Version.NEW
    return Version.INT3 if index == 0 and value == _INT3 else Version.OTHER
