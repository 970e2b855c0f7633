"""What a person chooses for the next run, and how to say it in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from emu.lab.linux_scenario import LinuxScenario
from emu.lab.player import AnyScenario


@dataclass(frozen=True, slots=True)
class Choice:
    """A run to start.

    Attributes:
        broken: the name of the break, or None: the protocol as it should be.
        model: the fetch model. seed: of the chooser, 0 <= seed < 2^64.
        functions: to patch; none where the kernel patches itself. cores: how many.
    """

    broken: str | None
    model: str
    seed: int
    functions: tuple[str, ...]
    cores: int

    @classmethod
    def of(cls, scenario: AnyScenario) -> "Choice":
        """Return what is chosen now."""
        patched = scenario.patched
        return cls(scenario.broken, scenario.model, scenario.seed, patched, scenario.cores)

    def scenario(self, now: AnyScenario) -> AnyScenario:
        """Return what was chosen, else as it is now.

        Functions left alone are those that show it best.
        """
        if isinstance(now, LinuxScenario):
            return replace(
                now, broken=self.broken, model=self.model, seed=self.seed, cores=self.cores
            )
        kept = Choice.of(now).functions == self.functions and not now.functions
        return replace(
            now,
            functions=() if kept else self.functions,
            broken=self.broken,
            model=self.model,
            seed=self.seed,
            cores=self.cores,
        )


MODELS: Final = {
    "coherent": "a core always fetches what memory holds",
    "observed": "a core may fetch old bytes, but never half of an aligned 8-byte word",
    "intel2010": "a core may fetch old bytes, but none older than the byte before it",
    "sdm": "a core may fetch any mix of old and new bytes until it serialises",
}
"""What each fetch model allows, in words; emu/machine/fetch_model.py is the exact thing."""


def sentence(choice: Choice, explanation: str) -> str:
    """Return what a choice will do. explanation: of the break; of no use if there is none."""
    cores = "1 core runs" if choice.cores == 1 else f"{choice.cores} cores run"
    functions = "the kernel patches itself"
    if choice.functions:
        functions = _list(choice.functions) + (" is" if len(choice.functions) == 1 else " are")
        functions += " patched"
    how = (
        f"broken by “{choice.broken}” ({explanation})"
        if choice.broken
        else "by the protocol as it should be"
    )
    return f"{cores} while {functions}, {how}; {MODELS[choice.model]}; seed {choice.seed}."


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
