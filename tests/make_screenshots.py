"""`python -m tests.make_screenshots`: take the pictures of the window that the documents show.

Made anew whenever the window looks other than before; somebody has to look at them. That of a stock
kernel needs one (`textpoke linux get`); the log is in front there, and core 0 runs into the int3.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from emu.image import linux_package

FOLDER = Path(__file__).parents[1] / "docs" / "window"

_LIGHT = ("--theme", "light", "--at", "sync2")
_DARK = ("--theme", "dark", "--break", "sync1", "--at", "failure")
_PROJECTOR = ("--theme", "light", "--layout", "projector", "--at", "int3")

PICTURES = {
    f"{name}-{size}": (*options, "--size", size)
    for name, options in (("light", _LIGHT), ("dark", _DARK), ("projector", _PROJECTOR))
    for size in ("1280x720", "1920x1080")
}
"""The options of each picture, by its name."""

FUNCTION: Final = "cmdline_proc_show"
SCRIPT: Final = f"""\
cd /sys/kernel/tracing
echo {FUNCTION} seq_read_iter vfs_read > set_ftrace_filter
spawn reader
cpu 0
repeat
read /proc/cmdline
end
end
cpu 1
echo function > current_tracer
"""
"""One core reads the file whose function the other patches, with two more that are called then."""

_MOST_PHASES: Final = 1000  # of what a kernel patches before


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, options in PICTURES.items():
        file = FOLDER / f"{name}.png"
        command = [sys.executable, "-m", "emu.cli.main", "gui", "--screenshot", str(file), *options]
        subprocess.run(command, check=True)
        print(file)
    kernel = linux_package.kept()
    if kernel is None:
        print("linux.png is left out: no Linux kernel here (textpoke linux get)")
        return 0
    print(linux(kernel, FOLDER / "linux.png"))
    return 0


def linux(kernel: Path, file: Path) -> Path:
    """Write a picture of a stock kernel that makes functions call their tracer."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import Qt  # noqa: PLC0415 -- the other pictures need none here

    from emu.lab.linux import Linux  # noqa: PLC0415 -- as above
    from emu.lab.linux_scenario import LinuxScenario  # noqa: PLC0415 -- as above
    from gui import host  # noqa: PLC0415 -- as above
    from tests.gui.windows import opened  # noqa: PLC0415 -- as above

    host.application().setStyle("Fusion")
    scenario = LinuxScenario(Linux(kernel, SCRIPT.encode()), cores=2)
    with opened(scenario, size=(1280, 720)) as found:
        docks = [found.window.docks[name] for name in ("five_bytes", "path", "log")]
        docks[-1].raise_()
        found.window.resizeDocks(docks, [566, 318, 396], Qt.Orientation.Horizontal)
        for _ in range(_MOST_PHASES):
            found.window.on_next_phase()
            scene = found.settle().scene
            assert scene is not None
            if scene.phase == "sync2" and any(FUNCTION in each.function for each in scene.sites):
                break
        found.window.grab().save(str(file), "PNG")
    return file


if __name__ == "__main__":
    sys.exit(main())
