"""The verdict's status is the worst of what was found."""

import itertools

import pytest

from emu.detect.verdict import Verdict

FOUND = {"hazard": 8, "torn": 10, "lost": 12, "late": 12, "unhandled": 14, "harmful": 16}
NAMES = {
    0: "safe",
    8: "HAZARD",
    10: "torn",
    12: "lost or late",
    14: "unhandled int3",
    16: "harmful",
}


def verdict(*names: str) -> Verdict:
    counts = dict.fromkeys(FOUND, 0) | {"calls": 9, "old": 4, "new": 0, "int3": 7, "stale": 2}
    return Verdict(**(counts | dict.fromkeys(names, 1)))


def test_the_highest_status_wins() -> None:
    every = [pair for size in range(7) for pair in itertools.combinations(FOUND, size)]
    assert len(every) == 64
    for names in every:
        expected = max((FOUND[name] for name in names), default=0)
        assert verdict(*names).status == expected, names
        assert verdict(*names).name == NAMES[expected]
        assert verdict(*names).findings[0] == NAMES[expected]


@pytest.mark.parametrize("name", ["int3", "stale", "old", "new", "calls"])
def test_what_is_no_fault_is_safe(name: str) -> None:
    assert verdict(name).status == 0
    assert verdict(name).findings == ("safe",)


def test_findings_are_everything_that_went_wrong_once_worst_first() -> None:
    assert verdict("torn", "lost", "late", "hazard").findings == ("lost or late", "torn", "HAZARD")
