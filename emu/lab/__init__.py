"""The lab: what users import. One kernel on one machine, and everything to do with it.

import emu.lab
lab = emu.lab.boot("toy", cores=4, model="sdm", seed=7)
lab.run_until_tasks()
redirect = lab.arena.redirect("cmdline_proc_show", open("new.s").read())
lab.patch_in((redirect,))
print(lab.verdict())
"""

from emu.lab.end import End
from emu.lab.hold import Hold
from emu.lab.lab import Lab
from emu.lab.linux import COMMAND_LINE, Linux, boot_linux, go_on_linux, read_script
from emu.lab.start import boot, go_on
from emu.lab.sync_fault import SyncFault
from emu.resources import image_path

__all__ = [
    "COMMAND_LINE",
    "End",
    "Hold",
    "Lab",
    "Linux",
    "SyncFault",
    "boot",
    "boot_linux",
    "go_on",
    "go_on_linux",
    "image_path",
    "read_script",
]
