"""A stock Linux kernel as it is started here: its file, its first file system, its command line.

What it finds at /init is ours (docs/linux.md), or a user's own initramfs is what it starts from.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emu import bounded_file, resources
from emu.errors import BadImage, TextpokeError
from emu.image import initramfs, linux_package
from emu.image.elf import MAX_FILE
from emu.image.linux_image import LinuxImage
from emu.lab.lab import Lab
from emu.lab.start import boot, go_on

RAM: Final = 256
"""MiB of a machine for Linux, unless somebody says otherwise."""

CONSOLE: Final = "console=ttyS0,115200 earlyprintk=ttyS0,115200"
"""What is needed: without it nothing is seen."""

QUICK: Final = "mitigations=off lpj=4000000 cryptomgr.notests=1 panic=-1"
"""What saves time, and nothing else: docs/linux.md says what each word does."""

COMMAND_LINE: Final = f"{CONSOLE} {QUICK}"
"""What a kernel is told before what its user adds."""

_MAX_SCRIPT: Final = 128 << 10


@dataclass(frozen=True, slots=True)
class Linux:
    """What is started.

    Attributes:
        file: a Debian package, a bzImage or a vmlinux; None: what `textpoke linux get` keeps.
        script: what our init carries out; empty: it asks for commands.
        files: more files for our initramfs; each lies in /, by its name.
        initramfs: a user's own, instead of ours.
        bzimage: whether the kernel's own decompressor is started, and so KASLR.
        append: more words for the command line.
    """

    file: str | Path | None = None
    script: bytes = b""
    files: tuple[str | Path, ...] = ()
    initramfs: str | Path | None = None
    bzimage: bool = False
    append: str = ""

    @property
    def command_line(self) -> str:
        """The whole command line."""
        return f"{COMMAND_LINE} {self.append}".rstrip()

    def image(self) -> LinuxImage:
        """Return the kernel, ready to be started; BadImage or TextpokeError if it cannot be."""
        files = self._initramfs()
        return self.kernel().with_initramfs(files, bzimage=self.bzimage)

    def kernel(self) -> LinuxImage:
        """Return the kernel alone."""
        kept = linux_package.kept() if self.file is None else self.file
        if kept is None:
            raise BadImage(
                "no Linux kernel here: textpoke linux get fetches one, or name a linux-image "
                "package, a bzImage or a vmlinux"
            )
        return LinuxImage.read(kept)

    def _initramfs(self) -> bytes:
        if self.initramfs is None:
            files = {f"/{Path(each).name}": _bytes(each) for each in self.files}
            return initramfs.build(resources.init().read_bytes(), self.script, files)
        if self.script or self.files:
            raise TextpokeError(
                "a script and more files go into our initramfs: put them into your own yourself"
            )
        data = _bytes(self.initramfs)
        initramfs.check(str(self.initramfs), data)
        return data


def boot_linux(  # noqa: PLR0913 -- as of `Linux` and of `boot`
    file: str | Path | None = None,
    *,
    script: str | bytes = b"",
    files: tuple[str | Path, ...] = (),
    initramfs: str | Path | None = None,
    bzimage: bool = False,
    append: str = "",
    ram_mib: int = RAM,
    **machine: Any,
) -> Lab:
    """Switch a machine on with a stock Linux kernel.

    script, files, initramfs, bzimage, append: as in `Linux`. machine: cores, model, seed and what
    else `boot` takes.
    """
    text = script.encode() if isinstance(script, str) else script
    linux = Linux(file, text, files, initramfs, bzimage, append)
    return boot(linux.image(), append=linux.command_line, ram_mib=ram_mib, **machine)


def go_on_linux(saved: str | Path, file: str | Path | None = None, **machine: Any) -> Lab:
    """Let a machine that runs Linux go on from a snapshot in a file.

    file: its kernel, to name things by; None: what `textpoke linux get` keeps, if that is it.
    machine: as for `go_on`.
    """
    if file is not None:
        return go_on(saved, LinuxImage.read(file), **machine)
    kept = linux_package.kept()
    return go_on(saved, likely=LinuxImage.read(kept) if kept else "toy", **machine)


def read_script(path: str | Path) -> bytes:
    """Return what our init is to carry out: a file, or a script of that name that we bring along.

    Raises TextpokeError if it cannot be read, or is too large.
    """
    ours = resources.linux_script(str(path))
    found = path if ours is None or Path(path).exists() else ours
    return bounded_file.read(found, _MAX_SCRIPT, "a script")


def _bytes(path: str | Path) -> bytes:
    """Return the bytes of a file that goes into an initramfs, or is one."""
    return bounded_file.read(path, MAX_FILE, "an initramfs")
