"""A table of figures at the end of a test run, summed over the tests that recorded them.

A test says `figures("table", "row", calls=3)`; what it says travels with its report, so sums are
right with workers, too. Figures are for people: what must hold, the tests assert themselves.
"""

from collections.abc import Callable
from typing import Any

import pytest

_NAME = "figures"
Figures = Callable[..., None]


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    def record(table: str, row: str, **counts: int) -> None:
        record_property(_NAME, {"table": table, "row": row, **counts})

    return record


def pytest_terminal_summary(terminalreporter: Any) -> None:
    tables: dict[str, dict[str, dict[str, int]]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == _NAME and getattr(report, "when", "") == "call":
                    _add(tables, dict(value))
    for table, rows in sorted(tables.items()):
        terminalreporter.write_sep("-", table)
        for row, counts in sorted(rows.items()):
            text = ", ".join(
                f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items()
            )
            terminalreporter.write_line(f"{row:24} {text}")


def _add(tables: dict[str, dict[str, dict[str, int]]], value: dict[str, Any]) -> None:
    row = tables.setdefault(value.pop("table"), {}).setdefault(value.pop("row"), {})
    for name, count in value.items():
        row[name] = row.get(name, 0) + count
