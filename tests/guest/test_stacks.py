"""Stacks of all tasks at random instants, compared with a log of calls made from fetches alone."""

import random
import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import pytest

from emu.guest.stack import Stack
from emu.guest.tasks import Task
from emu.image.call_frames import CallFrames
from emu.image.frame_rules import RIP, RSP, Rule, Rules
from emu.lab import boot
from emu.machine.unicorn_layout import RSP as RSP_FIELD
from emu.patch.redirect import Redirect
from tests.guest.shadow import BREAKPOINT, Entry, Log, Shadow
from tests.labs import FUNCTION, REPLACEMENT
from tests.summary import Figures

CORES = 4
LONGEST = 1500  # instructions of all cores between two instants
BATCH = 50  # instants between two looks at the fetches

FIX = """#include <toy/defs.h>
long livepatch_vfs_read(struct file *f, char *buf, size_t n)
{
	const struct file_operations *fops = f->inode->fops;

	if (!fops || !fops->read)
		return -EINVAL;
	return fops->read(f, buf, n) + (long)strlen("");
}
"""
"""A replacement that has frames below and above its own."""


@dataclass(frozen=True)
class Instant:
    """What was seen at an instant. before: instructions retired by all cores."""

    before: int
    stacks: list[tuple[Task, Stack]]
    pcs: list[int]
    sps: list[int]


class Trial:
    """A run of the toy kernel, looked at again and again, and what came of it.

    Attributes:
        counts: of stacks: "all", "reliable", "on core", "on core, reliable", and of reliable ones
            by what they pass through. reasons: of the others.
        wrong: what was called reliable and is not so, in words.
    """

    def __init__(self, seed: int, folder: Path | None = None) -> None:
        self.lab = lab = boot("toy", cores=CORES, append="load", seed=seed)
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._random = random.Random(seed)  # noqa: S311 -- a game of chance, the same each time
        self._shadow = Shadow(lab.machine, lab.image)
        self._redirects: list[Redirect] = []
        self._inward = True
        self._noted: list[Instant] = []
        lab.run_until_tasks()
        self._redirects.append(lab.arena.redirect(FUNCTION, REPLACEMENT[FUNCTION]))
        if folder is not None:
            (folder / "fix.c").write_text(FIX)
            self._redirects += lab.load(["vfs_read"], [folder / "fix.c"])
        self._shadow.trampolines = frozenset(each.trampoline for each in self._redirects)

    def look(self, instants: int) -> None:
        """Let the machine run, patched in and out all the while, and look so many times."""
        for _ in range(instants):
            self._patch()
            self.lab.run(instructions=self._random.randrange(1, LONGEST))
            self._note()
            if len(self._noted) == BATCH:
                self._compare()
        self._compare()
        assert self.lab.machine.alive

    def _patch(self) -> None:
        if self.lab.patcher.done:
            (plan,) = self.lab.plan(self._redirects, inward=self._inward)
            self.lab.request(plan)
            self._inward = not self._inward

    def _note(self) -> None:
        machine, guest = self.lab.machine, self.lab.guest
        cores = range(CORES)
        self._noted.append(
            Instant(
                machine.retired(),
                [(task, guest.stack(task)) for task in guest.tasks()],
                [machine.rip(core) for core in cores],
                [machine.register(core, RSP_FIELD) for core in cores],
            )
        )

    def _compare(self) -> None:
        noted, self._noted = self._noted, []
        self._shadow.follow([(each.before, self._checker(each)) for each in noted])

    def _checker(self, instant: Instant) -> Callable[[], None]:
        return lambda: self._check(instant)

    def _check(self, instant: Instant) -> None:
        """Compare the stacks of an instant with the log."""
        there = self._shadow.standing(instant.pcs, instant.sps)
        for task, stack in instant.stacks:
            assert task.stack is not None
            core = there.get(task.stack)
            pc = self._shadow.resume if core is None else instant.pcs[core]
            self._count(task, stack)
            if not stack.reliable:
                continue
            if core != task.core:
                self.wrong.append(f"{task} has core {core}, not {task.core}")
            log = self._shadow.log(task.stack, task.sp, core)
            if log is None:
                self._check_new(task, stack)
            elif not self._equal(stack, Entry(pc, 0), log):
                frames = ", ".join(f"{frame} {frame.kind}" for frame in stack.frames)
                self.wrong.append(f"{instant.before}: {task}: {frames}")

    def _count(self, task: Task, stack: Stack) -> None:
        kind = "off core" if task.core is None else "on core"
        self.counts.update(("all", kind))
        if not stack.reliable:
            self.reasons[re.sub(r"\+?0x[0-9a-f]+", "", str(stack.reason))] += 1
            return
        self.counts.update(("reliable", f"{kind}, reliable"))
        self.counts.update({frame.kind for frame in stack.frames})
        names = {frame.function for frame in stack.frames}
        self.counts["in the int3 handler"] += "poke_int3_handler" in names
        self.counts["in a replacement"] += "livepatch: livepatch_vfs_read" in names

    def _check_new(self, task: Task, stack: Stack) -> None:
        """A task that never had a core goes on where tasks begin."""
        self.counts["new"] += 1
        begins = [frame.function for frame in stack.frames if frame.kind != "user"]
        if begins not in (["switch_to", "task_begin"], ["switch_to", "ret_from_fork"]):
            self.wrong.append(f"{task}, which is new: {begins}")

    def _equal(self, stack: Stack, top: Entry, log: Log) -> bool:
        """Return whether a stack is what the log says.

        The int3 handler may have let the frame it interrupted go on behind the site already, or
        in a trampoline.
        """
        have = [Entry(f.pc, None if f.is_return else 0) for f in stack.frames]
        ways = [[top]]
        for entry in reversed(log):
            mark = None if entry.vector is None else 0
            further = [[Entry(entry.pc, mark)]]
            if entry.vector == BREAKPOINT and entry.pc is not None:
                behind = entry.pc + 4
                further.append([Entry(behind, 0)])
                further += [[Entry(at, 0), Entry(behind)] for at in self._shadow.trampolines]
            ways = [way + more for way in ways for more in further]
        return any(_same(have, way, stack) for way in ways)


def _same(have: list[Entry], way: list[Entry], stack: Stack) -> bool:
    """Return whether frames are those of a log; of ring 3's, a log may not know them all."""
    unknown = next((index for index, entry in enumerate(way) if entry.pc is None), None)
    if unknown is None:
        return have == way
    kinds = {frame.kind for frame in stack.frames[unknown:]}
    return have[:unknown] == way[:unknown] and kinds <= {"user"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_no_stack_that_is_called_reliable_is_wrong(
    seed: int, tmp_path: Path, figures: Figures
) -> None:
    instants = 2000
    gcc = shutil.which("gcc") is not None
    trial = Trial(seed, tmp_path if gcc else None)
    trial.look(instants)
    assert trial.wrong == []
    counts = trial.counts
    figures(
        "stacks at random instants",
        "toy under load",
        instants=instants,
        stacks=counts["all"],
        reliable=counts["reliable"],
        on_a_core=counts["on core"],
        of_them_reliable=counts["on core, reliable"],
        wrong=len(trial.wrong),
    )
    assert counts["reliable"] >= 0.95 * counts["all"], trial.reasons
    assert counts["on core, reliable"] >= 0.95 * counts["on core"], trial.reasons
    for through in ("interrupt", "user", "trampoline", "in the int3 handler", "new"):
        assert counts[through], f"nothing was seen of this: {through}"
    assert gcc == (counts["in a replacement"] > 0)


# --- mutants of the tables: the test above must notice ------------------------------------------


def _shifted(rules: Rules) -> Rules:
    """A CFA that is a word too high; the slots are where they were."""
    if rules.cfa.kind != "val_offset" or rules.base != RSP:
        return rules
    slots = {
        column: replace(rule, value=rule.value - 8) if rule.kind == "offset" else rule
        for column, rule in rules.registers.items()
    }
    cfa = Rule("val_offset", rules.cfa.value + 8)
    return replace(rules, cfa=cfa, registers=MappingProxyType(slots))


def _whole(rules: Rules) -> Rules:
    """CFA and slots a word too high."""
    if rules.cfa.kind != "val_offset" or rules.base != RSP:
        return rules
    return replace(rules, cfa=Rule("val_offset", rules.cfa.value + 8))


def _dropped(rules: Rules) -> Rules:
    """No rule for the return address."""
    left = {column: rule for column, rule in rules.registers.items() if column != RIP}
    return replace(rules, registers=MappingProxyType(left))


def _ended(rules: Rules) -> Rules:
    """A stack that ends too early."""
    registers = {**rules.registers, RIP: Rule("undefined")}
    return replace(rules, registers=MappingProxyType(registers))


@pytest.mark.parametrize("mutant", [_shifted, _whole, _dropped, _ended])
def test_a_wrong_table_is_noticed(
    mutant: Callable[[Rules], Rules], monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Trial(1)
    symbol = trial.lab.image.symbols["seq_read"]
    true = CallFrames.at

    def wrong(frames: CallFrames, address: int) -> Rules | None:
        rules = true(frames, address)
        inside = 0 <= address - symbol.address < symbol.size
        return mutant(rules) if rules is not None and inside else rules

    monkeypatch.setattr(CallFrames, "at", wrong)
    trial.look(60)
    counts = trial.counts
    assert trial.wrong or counts["reliable"] < 0.95 * counts["all"]
