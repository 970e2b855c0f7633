"""Sources in C for tests, and the tests that need a compiler."""

import shutil
from pathlib import Path

import pytest

PATCHES = Path(__file__).parents[2] / "kernels" / "patches"
"""The examples."""

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc: apt-get install gcc")


def write(folder: Path, text: str, name: str = "fix.c") -> Path:
    """Write a source; returns its path."""
    path = folder / name
    path.write_text(text)
    return path
