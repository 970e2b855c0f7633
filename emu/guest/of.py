"""Which guest a kernel makes of a machine: the one place where that is decided."""

from emu.guest.guest import Guest
from emu.guest.linux.kernel import LinuxGuest
from emu.guest.toy import ToyGuest
from emu.image.elf import ElfImage
from emu.image.linux_image import LinuxImage
from emu.machine.machine import Machine


def guest_of(machine: Machine, image: ElfImage) -> Guest:
    """Return the kernel of an image as a machine has it."""
    return LinuxGuest(machine, image) if isinstance(image, LinuxImage) else ToyGuest(machine, image)
