"""A hot function is patched in and out 1,000 times on 4 loaded cores, and nothing goes wrong.

Under 20 seeds and every fetch model; a quarter of the seeds rewrite the function whose site lies
in two words. The figures are printed at the end of the test run.
"""

import dataclasses

import pytest

from emu.patch.text_poke import NOP5
from tests.labs import FUNCTION, MODELS, SECOND, in_and_out, loaded, plans, redirected
from tests.summary import Figures

TIMES = 1_000
SEEDS = range(20)


def check(model: str, seed: int, times: int, figures: Figures) -> None:
    """Patch in and out, and look at what the detectors say."""
    lab = loaded(model, seed)
    (redirect,) = redirected(lab, SECOND if seed % 4 == 3 else FUNCTION)
    in_and_out(lab, plans(lab, [redirect]), times, between=1_000)
    lab.drain()
    verdict = lab.verdict()
    assert lab.machine.alive
    assert lab.patcher.done
    assert lab.patcher.requests == 2 * times
    wrong = ("torn", "harmful", "hazard", "late", "lost", "unhandled")
    assert {name: getattr(verdict, name) for name in wrong} == dict.fromkeys(wrong, 0)
    assert verdict.status == 0
    assert min(verdict.old, verdict.new) > times
    assert verdict.calls == verdict.old + verdict.new
    assert verdict.int3 > times
    assert verdict.stale > times // 2 if model != "coherent" else verdict.stale == 0
    assert lab.guest.read(redirect.site, 5) == NOP5
    counts = dataclasses.asdict(verdict)
    shown = {name: counts.pop(name) for name in ("calls", "old", "new", "int3", "stale")}
    figures(
        f"patched in and out {times:,} times", model,
        runs=1, **shown, everything_else=sum(counts.values()),
    )  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_forty_times(model: str, figures: Figures) -> None:
    check(model, 103, 40, figures)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_thousand_times(model: str, seed: int, figures: Figures) -> None:
    check(model, seed, TIMES, figures)
