"""textpoke: watch a kernel being patched while it runs.

    import emu
    lab = emu.boot("toy", cores=4, append="load", seed=7)
    lab.run_until_tasks()

`emu.lab` says what a lab can do. It is loaded when it is first asked for, because it brings the
compiled machine with it.
"""

import importlib
from typing import Any

__all__ = ["Lab", "boot", "boot_linux"]


def __getattr__(name: str) -> Any:
    if name in __all__ or name == "lab":
        lab = importlib.import_module("emu.lab")  # loads the machine
        return lab if name == "lab" else getattr(lab, name)
    raise AttributeError(f"module 'emu' has no attribute {name!r}")
