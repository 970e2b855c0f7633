"""Files that are written whole or not at all: after a crash there is the old one or the new one."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from emu.errors import TextpokeError


def check_target(path: str | Path, what: str, error: type[TextpokeError]) -> Path:
    """Return the file that `write` would replace, links followed; raises `error` if it could not.

    what: "a schedule", for messages.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise error(f"{path}: not a file: {what} cannot be saved there")
        if not target.parent.is_dir():
            raise error(f"{path}: there is no folder {target.parent} to save it in")
        writable = os.access(target.parent, os.W_OK | os.X_OK)
    except (OSError, ValueError) as reason:
        known = reason.strerror if isinstance(reason, OSError) else None
        raise error(f"{path}: {known or 'no name for a file'}") from None
    if not writable:
        raise error(f"{path}: its folder cannot be written to")
    return target


def write(path: str | Path, parts: Iterable[bytes], what: str, error: type[TextpokeError]) -> None:
    """Write bytes to `path`; raises `error`, and leaves what was there, if that fails."""
    target = check_target(path, what, error)
    part = target.parent / f".textpoke-{secrets.token_hex(8)}.part"
    try:
        try:
            with part.open("xb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as reason:
        raise error(f"{path}: not saved: {reason.strerror or reason}") from None
    _sync(target.parent)


def _sync(folder: Path) -> None:
    """Have the new name survive a power cut, where the system can promise that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass  # some file systems cannot sync a folder
    finally:
        os.close(handle)
