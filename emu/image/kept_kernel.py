"""The kernel of a package that is kept on this computer, unpacked: that takes half a second.

It lies beside the package, with another suffix:

    sha256 of the package (32 bytes), sha256 of the kernel (32 bytes), the kernel

Where that is of another package, damaged or not there, it is made again; where it cannot be
written, it is made each time.
"""

import contextlib
import hashlib
from pathlib import Path
from typing import Final

from emu import whole_file
from emu.errors import TextpokeError
from emu.image import deb, linux_package

_PACKAGE: Final = ".deb"
_SUFFIX: Final = ".kernel"
_DIGEST: Final = 32


def kernel(path: Path, package: bytes, limit: int) -> bytes:
    """Return the kernel in a package; errors as those of `deb.kernel`.

    Args:
        path: of the package; one that `textpoke linux get` does not keep is unpacked each time.
        package: its bytes.
        limit: the most bytes that the kernel may have.
    """
    if path.parent != linux_package.folder() or path.suffix != _PACKAGE:
        return deb.kernel(path.name, package, limit)
    digest = hashlib.sha256(package).digest()
    beside = path.with_suffix(_SUFFIX)
    found = _read(beside, digest, limit)
    if found is None:
        found = deb.kernel(path.name, package, limit)
        with contextlib.suppress(TextpokeError, OSError):
            parts = digest, hashlib.sha256(found).digest(), found
            whole_file.write(beside, parts, "a kernel", TextpokeError)
            _forget_others(beside.parent)
    return found


def _read(path: Path, digest: bytes, limit: int) -> bytes | None:
    """Return the kernel in a file, None unless it is whole and of the package of this digest."""
    try:
        with path.open("rb") as file:
            of_package, of_kernel = file.read(_DIGEST), file.read(_DIGEST)
            if of_package != digest:
                return None
            found = file.read(limit + 1)
    except OSError:
        return None
    return found if hashlib.sha256(found).digest() == of_kernel and len(found) <= limit else None


def _forget_others(folder: Path) -> None:
    """Remove the kernels whose packages are gone."""
    for each in folder.glob(f"*{_SUFFIX}"):
        if not each.with_suffix(_PACKAGE).exists():
            each.unlink(missing_ok=True)
