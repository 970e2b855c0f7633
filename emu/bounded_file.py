"""Files that are read whole, unless they are too large for what they are read for."""

from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from emu.errors import TextpokeError


def read(path: str | Path, most: int, what: str, stream: BinaryIO | None = None) -> bytes:
    """Return the bytes of a file, at most so many.

    Args:
        path: of the file, for messages as well.
        most: bytes, a whole number of KiB or MiB.
        what: for what a larger file is too large: "a script".
        stream: to read from instead; it stays open.

    Raises:
        TextpokeError: the file cannot be read, or has more.
    """
    try:
        with Path(path).open("rb") if stream is None else nullcontext(stream) as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise TextpokeError(f"{path}: {reason or 'cannot be read'}") from None
    if len(data) > most:
        size = f"{most >> 20} MiB" if most >> 20 else f"{most >> 10} KiB"
        raise TextpokeError(f"{path}: over {size}, too large for {what}")
    return data
