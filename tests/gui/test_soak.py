"""The window paints for a long time and loses no reference; and it would be noticed if it did."""

import ctypes
import os
import subprocess
import sys

import pytest

from tests.soak.window import SINGLETONS, Drift


@pytest.mark.slow
def test_painting_loses_no_references() -> None:
    soaked = subprocess.run(
        [sys.executable, "-m", "tests.soak.window"],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert soaked.returncode == 0, soaked.stderr
    assert soaked.stdout == "200000 painter calls\n5000 frames\n"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal there, PEP 683")
@pytest.mark.parametrize("value", SINGLETONS)
def test_lost_references_are_noticed(value: object) -> None:
    reference = ctypes.py_object(value)
    for _ in range(3_000):  # so that losing them harms nobody
        ctypes.pythonapi.Py_IncRef(reference)
    drift = Drift(slack=1_000)
    drift.check(0)
    for _ in range(3_000):
        ctypes.pythonapi.Py_DecRef(reference)
    with pytest.raises(AssertionError, match=f"^{value} had .* after 3000 rounds"):
        drift.check(3_000)
