"""The window's tests run offscreen, unless the environment says otherwise; without Qt they skip."""

import os
from pathlib import Path

import pytest

from emu.errors import Unsupported
from gui import host

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


class _Skipped(pytest.Module):
    """A file of tests that cannot be imported here."""

    reason = ""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        pytest.skip(self.reason)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> _Skipped | None:
    reason = _lacking(parent.config)
    if reason is None:
        return None
    skipped: _Skipped = _Skipped.from_parent(parent, path=module_path)
    skipped.reason = reason
    return skipped


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with qtbot have widgets, so the platform matters to them."""
    for item in items:
        if "qtbot" in getattr(item, "fixturenames", ()):
            item.add_marker("screen")


def _lacking(config: pytest.Config) -> str | None:
    """Return why the window cannot be tested here, or None."""
    try:
        host.require_qt()
    except Unsupported as error:
        return str(error)
    return None if config.pluginmanager.hasplugin("pytest-qt") else "pytest-qt is not in use"
