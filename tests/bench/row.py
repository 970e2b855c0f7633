"""What is measured: rows of a table, and of build/bench.json."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

FILE = Path(__file__).parents[2] / "build" / "bench.json"
NO_QEMU = "no QEMU here"


@dataclass(frozen=True)
class Row:
    """One figure.

    peer: what it was held against, in the same run. ratio: how many times as good as the peer
    (faster, or sooner done); None where the peer is missing.
    """

    name: str
    value: float
    unit: str
    peer: str
    ratio: float | None


def python_environment() -> dict[str, str]:
    """Return the environment of a process whose start is measured.

    As with anybody who has installed it, Python keeps what it has compiled of our modules.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def show(rows: list[Row]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("benchmark")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("ratio", justify="right")
    table.add_column("peer")
    for row in rows:
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.name, _readable(row.value), row.unit, ratio, row.peer)
    Console(width=None if os.isatty(1) else 100).print(table)


def _readable(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write(rows: list[Row]) -> Path:
    """Write the rows to build/bench.json, whole or not at all; returns its path."""
    FILE.parent.mkdir(exist_ok=True)
    text = json.dumps([asdict(row) for row in rows], indent=1) + "\n"
    handle, name = tempfile.mkstemp(dir=FILE.parent, prefix=FILE.name)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(name).replace(FILE)
    except BaseException:
        Path(name).unlink()
        raise
    return FILE
