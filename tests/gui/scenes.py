"""Frames to paint, made by hand: a rewrite of one function, at any phase, on 1 to 8 cores.

The values are plausible, not true: what scenes say about a machine is tests/scene's business.
"""

from emu.moves.plan import PHASES
from emu.scene.chapter import Chapter
from emu.scene.chapter import Status as ChapterStatus
from emu.scene.failure import Failure
from emu.scene.path import CallPath, Edge, Node
from emu.scene.scene import Byte, Core, Scene, Site, Version
from gui.frame import Frame, State

SITE = 0xFFFFFFFF81002004
OLD, NEW = bytes.fromhex("0f1f440000"), bytes.fromhex("e8b7e3061f")
NEW_TEXT = "call 0xffffffffa0012000"
TEXTS = {0x0F: "nop dword ptr [rax + rax]", 0xCC: "int3", 0xE8: NEW_TEXT}

DOES = {
    "int3": "cc .. .. .. ..",
    "tail": ".. b7 e3 06 1f",
    "head": "e8 .. .. .. ..",
    "arm": "descriptor",
    "drain": "references",
    "done": "",
}

FAILURE = Failure(
    finding="torn",
    core=2,
    time=8_832_000,
    function="vfs_read",
    address=SITE,
    code=bytes.fromhex("e81f440000"),
    became="call 0xffffffff81006428",
    sentence=(
        "Core 2 executed bytes that nobody wrote: at vfs_read+4 it fetched e8 1f 44 00 00, the "
        "first byte new and the rest old, and they became call 0xffffffff81006428."
    ),
)


def chapters(now: str | None, left_out: tuple[str, ...] = ()) -> tuple[Chapter, ...]:
    """Return the phases of the protocol, when a plan stands at one of them."""
    at = len(PHASES) if now is None else PHASES.index(now)

    def status(index: int, phase: str) -> ChapterStatus:
        if phase in left_out:
            return "left out"
        return "done" if index < at else "now" if index == at else "to come"

    return tuple(
        Chapter(phase, DOES.get(phase, "IPI"), status(index, phase))
        for index, phase in enumerate(PHASES)
    )


def byte(index: int, value: int, newest: int, old: bytes = OLD, new: bytes = NEW) -> Byte:
    """Return a byte of a site as a core may fetch it."""
    if value == old[index] == new[index]:
        version = Version.BOTH
    elif value == old[index]:
        version = Version.OLD
    elif value == new[index]:
        version = Version.NEW
    else:
        version = Version.INT3 if value == 0xCC and not index else Version.OTHER
    return Byte(value, newest, version)


def code(text: str, memory: str, old: bytes = OLD, new: bytes = NEW) -> tuple[Byte, ...]:
    """Return the bytes of a site, from what a core fetches and what memory holds, in hex."""
    pairs = zip(bytes.fromhex(text), bytes.fromhex(memory), strict=True)
    return tuple(byte(index, *pair, old, new) for index, pair in enumerate(pairs))


def core(number: int, fetches: str, memory: str, waiting: str = "") -> Core:
    """Return a core that fetches some bytes of the site while memory holds others."""
    fetched = code(fetches, memory)
    return Core(
        number=number,
        task=f"reader/{number + 7}",
        rip=SITE + 16 * number,
        place=f"vfs_read+{16 * number}",
        activity="runs",
        interrupts=waiting != "interrupts off",
        sites=(fetched,),
        decoded=(TEXTS.get(fetched[0].value, "(bad)"),),
        serialised=not waiting,
        waiting=waiting,
    )


def site(memory: str, function: str = "vfs_read") -> Site:
    """Return the site while memory holds some bytes."""
    held = code(memory, memory)
    text = TEXTS.get(held[0].value, "(bad)")
    return Site(function, SITE, OLD, NEW, held, text, TEXTS[0x0F], NEW_TEXT)


def scene(
    cores: int = 4,
    now: str = "sync2",
    memory: str = "cc b7 e3 06 1f",
    stale: str = "cc 1f 44 00 00",
    behind: tuple[int, ...] = (2, 3),
) -> Scene:
    """Return a scene in which some cores are behind: they still fetch stale bytes."""
    waits = ("IPI on its way", "interrupts off")
    return Scene(
        time=8_832_000,
        instructions=48_213,
        phase=now,
        sentence=(
            "Core 1 ran into the int3 and trapped. The handler acts out the call, so core 1 "
            "already takes the new path."
        ),
        sites=(site(memory),),
        cores=tuple(
            core(number, stale, memory, waits[number % 2])
            if number in behind
            else core(number, memory, memory)
            for number in range(cores)
        ),
        reason=(
            "The patcher waits: core 2 has an interrupt on its way, core 3 has interrupts off. "
            "Both may still hold the old tail; the int3 in front of it keeps them safe."
        ),
        actor=1 if cores > 1 else 0,
        chapters=chapters(now),
    )


def path(cores: int = 4) -> CallPath:
    """Return a call path in the middle of a rewrite, with core n at the n-th station."""
    standing = [tuple(n for n in range(cores) if n % 4 == at) for at in range(4)]
    return CallPath(
        "vfs_read",
        (
            Node("caller", "ksys_read", "calls vfs_read", standing[0], 0),
            Node("function", "vfs_read", "int3, then the old body", standing[2] + standing[3], 2),
            Node("int3", "int3 handler", "acts out the call", standing[1], 0),
            Node("trampoline", "trampoline", "at 0xffffffffa0012000", (), 1),
            Node("replacement", "new_vfs_read", "the new body", (), 0),
        ),
        (
            Edge("caller", "function", "call", "yes", ()),
            Edge("function", "int3", "int3", "yes", standing[1]),
            Edge("function", "trampoline", "call at the site", "no", ()),
            Edge("int3", "trampoline", "acts out the call", "some cores", ()),
            Edge("trampoline", "replacement", "returns into it", "yes", ()),
        ),
    )


def frame(of: Scene | None, number: int = 1, state: State = "paused") -> Frame:
    """Return a frame that shows a scene."""
    at = of.time if of else 0
    return Frame(number, state, of, at, at, None, "")
