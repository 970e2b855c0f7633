"""Frames made up for the tests of panels: no machine has ever been in these states."""

from dataclasses import dataclass, replace

from emu.scene.listing import Listing, ListingRow
from emu.scene.scene import Byte, Core, Scene, Site, Version
from emu.scene.tasks import Region, Status, TaskRow
from gui.frame import Frame
from gui.log.lines import LogView

BEGIN = 0xFFFFFFFF81000400
SITE = BEGIN + 4
AWAY = 0xFFFFFFFF81009000


def code(address: int, size: int, text: str) -> ListingRow:
    """Return an instruction of so many bytes."""
    return ListingRow(address, bytes(range(0x40, 0x40 + size)), text, None, None, None, site=False)


def a_listing(instructions: int = 60) -> Listing:
    """Return the listing of two functions: a site, source lines, long and short instructions."""
    source = "\tssize_t vfs_read(struct file *file, char *buf, size_t count)"
    rows = [
        replace(code(BEGIN, 4, "endbr64"), symbol="vfs_read", place="vfs.c:120", source=source),
        replace(code(SITE, 5, "int3"), code=bytes.fromhex("cc b7 e3 06 1f"), site=True),
    ]
    address = SITE + 5
    for number in range(2, instructions):
        size = (1, 3, 7, 10)[number % 4]
        text = (
            "push rbp", "mov rbp, rsp", "mov qword ptr [rip + 0x2a15], rax",
            "movabs rdi, 0xffffffff81004000",
        )[number % 4]  # fmt: skip
        row = code(address, size, text)
        if number % 5 == 2:
            row = replace(row, place=f"vfs.c:{120 + number}", source="\tif (a < b && <b>c</b>)")
        if number == 30:
            row = replace(row, symbol="vfs_write")
        rows.append(row)
        address += size
    return Listing("vfs_read", tuple(rows))


def a_core(number: int, rip: int, place: str) -> Core:
    """Return a core that stands somewhere."""
    return Core(number, "cat/12", rip, place, "runs", True, (), (), True, "")


MEMORY = tuple(
    Byte(value, value, version)
    for value, version in zip(
        bytes.fromhex("cc b7 e3 06 1f"),
        (Version.INT3, Version.NEW, Version.NEW, Version.NEW, Version.NEW),
        strict=True,
    )
)


def a_task(
    pid: int, status: Status = "blocked", region: Region = "elsewhere", core: int | None = 0
) -> TaskRow:
    """Return a task; its descriptor's address follows from its pid."""
    return TaskRow(
        0xFFFF888000000000 + pid * 0x1000,
        pid,
        "reader",
        status,
        core,
        "vfs_read+0x14",
        region,
        "Its core was taken from it by the timer's interrupt, so its saved RIP still points there.",
        (12, 1),
    )


TASKS = (
    a_task(1),
    a_task(2, "running", "elsewhere", 0),
    a_task(3, "preempted", "old", 1),
    a_task(4, "running", "int3", 1),
    a_task(5, "ready", "trampoline", 2),
    a_task(6, "ended"),
    a_task(7, "running", "new", 3),
    a_task(8, "running", "old", 2),
)


def a_scene(cores: int = 4, listing: Listing | None = None) -> Scene:
    """Return a scene: core 1 at the site, 2 and 3 behind it, the others away."""
    shown = a_listing() if listing is None else listing
    rips = {1: SITE, 2: shown.rows[5].address, 3: shown.rows[3].address, 5: shown.rows[5].address}
    return Scene(
        time=1_000_000,
        instructions=4_000_000,
        phase="sync1",
        sentence="",
        sites=(Site("vfs_read", SITE, bytes(5), bytes(5), MEMORY),),
        cores=tuple(
            a_core(number, rips[number], f"vfs_read+{rips[number] - BEGIN:#x}")
            if number in rips
            else a_core(number, AWAY, "cmdline_proc_show+0x1a")
            for number in range(cores)
        ),
        tasks=TASKS,
        listing=shown,
    )


def a_frame(
    cores: int = 4,
    scene: Scene | None = None,
    log: LogView | None = None,
    position: int = 1_000_000,
) -> Frame:
    """Return a frame of a scene, or of `a_scene`."""
    shown = a_scene(cores) if scene is None else scene
    return Frame(1, "paused", shown, position, 2_000_000, None, "", log)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log."""

    time: int
    core: int
    kind: str
    text: str


class Log:
    """A log of 1000 ns a line, made up as it is read."""

    def __init__(self, rows: int, run: str = "") -> None:
        self.rows, self._run = rows, run
        self.read = 0

    def line(self, index: int) -> Line:
        """Return a line."""
        self.read += 1
        kind = ("switch", "interrupt", "IPI", "int3 trap", "store")[index % 5]
        core = index % 5 - 1
        return Line(index * 1000, core, kind, f"{self._run}event {index} of <b>{kind}</b>")


def a_log(rows: int) -> Log:
    """Return a log."""
    return Log(rows)
