"""`python -m tests.make_screenshots`: take the pictures of the window that the documents show.

Made anew whenever the window looks other than before; somebody has to look at them.
"""

import subprocess
import sys
from pathlib import Path

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


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, options in PICTURES.items():
        file = FOLDER / f"{name}.png"
        command = [sys.executable, "-m", "emu.cli.main", "gui", "--screenshot", str(file), *options]
        subprocess.run(command, check=True)
        print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
