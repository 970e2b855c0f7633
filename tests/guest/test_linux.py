"""A stock kernel as our guest sees it, held against what the kernel says of itself."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import emu.lab
from emu.errors import BadImage, TextpokeError
from emu.guest import probes
from emu.guest.code import CodeRegion
from emu.guest.linux.kernel import LinuxGuest
from emu.image.linux_image import LinuxImage
from emu.image.symbols import Symbol, Symbols
from emu.lab.end import End
from emu.machine import events, loop
from emu.machine.machine import Machine
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_STACK, E_TASK
from emu.machine.word import signed
from emu.moves.chooser import round_robin
from emu.moves.plan import PHASES
from tests import linux_qemu
from tests.linux_boot import APPEND, CORES, Booted, boot, numbers

pytestmark = pytest.mark.slow

ALL = (1 << CORES) - 1


@pytest.fixture(scope="module")
def booted(linux: LinuxImage) -> Booted:
    """The first kernel, after all stages that can be gone through here."""
    try:
        modules = linux_qemu.modules(linux)
    except pytest.skip.Exception:
        modules = {}
    return boot(linux, modules)


@pytest.fixture(scope="module")
def patched(booted: Booted) -> Booted:
    """The same, if there are modules for it."""
    if "patched" not in booted.stages:
        pytest.skip("no module with a live patch for this kernel")
    return booted


# --- tasks -----------------------------------------------------------------------------------


def test_all_processes_are_there(booted: Booted) -> None:
    stage = booted.stages["tasks"]
    said = {int(pid) for pid in re.findall(r"^(\d+)\r?$", stage.said, re.MULTILINE)}
    assert len(said) > 20
    assert {task.pid for task in stage.tasks if task.pid} == said


def test_a_task_is_as_the_kernel_says(booted: Booted) -> None:
    """kthreadd, which nobody wakes between."""
    stage = booted.stages["tasks"]
    (task,) = [task for task in stage.tasks if task.pid == 2]
    said = dict(re.findall(r"^(\w+):\s+(.*?)$", stage.said, re.MULTILINE))
    assert said["Name"] == task.comm == "kthreadd"
    assert said["State"] == f"S ({task.state})"
    assert int(said["voluntary_ctxt_switches"]) == task.nvcsw
    assert int(said["nonvoluntary_ctxt_switches"]) == task.nivcsw
    assert (task.core, task.on_rq, task.patch_state, task.ended) == (None, False, -1, False)


def test_each_core_runs_its_own_task(booted: Booted) -> None:
    for stage in booted.stages.values():
        assert [task.core for task in stage.current if task] == [*range(CORES)]
        idle = [task for task in stage.tasks if task.pid == 0]
        assert [task.cpu for task in idle] == [*range(CORES)]
        running = {task.core: task.address for task in stage.tasks if task.core is not None}
        assert len(running) == CORES
        assert all(count is not None and count < 1 << 22 for count in stage.preempt_counts)


def test_every_stack_is_reliable(booted: Booted) -> None:
    for stage in booted.stages.values():
        broken = [str(task) for task in stage.tasks if not stage.stacks[task.address].reliable]
        assert broken == []


def test_a_stack_is_the_kernels_own(booted: Booted) -> None:
    stage = booted.stages["tasks"]
    (task,) = [task for task in stage.tasks if task.pid == 2]
    said = re.findall(r"\[<0>\] (\S+?)/0x", stage.said)
    frames = [str(frame) for frame in stage.stacks[task.address].frames]
    assert said
    assert frames[-len(said) :] == said  # without the scheduler's own


def test_switches_are_those_that_the_kernel_counts(booted: Booted) -> None:
    """Who blocked has one more in nvcsw; who was preempted or gave way, in nivcsw."""
    names = list(booted.stages)
    for name, before in zip(names[1:], names, strict=False):
        then = {task.address: task for task in booted.stages[before].tasks}
        blocked: Counter[int] = Counter()
        others: Counter[int] = Counter()
        rows = booted.rows(name)
        for row in rows[rows[:, E_KIND] == probes.SWITCH].tolist():
            waits = row[E_STACK] & 0xFFFFFFFF != 0 and row[E_A] & 0xFF == 0
            (blocked if waits else others)[row[E_B]] += 1
        for task in booted.stages[name].tasks:
            was = then.get(task.address)
            if was is None or was.pid != task.pid:
                continue
            assert task.nvcsw is not None
            assert was.nvcsw is not None
            assert task.nivcsw is not None
            assert was.nivcsw is not None
            at = signed(task.address)
            assert (task.nvcsw - was.nvcsw, task.nivcsw - was.nivcsw) == (blocked[at], others[at])


def test_a_core_leaves_the_task_it_went_to(booted: Booted) -> None:
    rows = booted.machine.events.since(booted.first.events)
    for core in range(CORES):
        switches = rows[(rows[:, E_KIND] == probes.SWITCH) & (rows[:, E_CORE] == core)]
        assert len(switches) > 10
        assert (switches[1:, E_B] == switches[:-1, E_TASK]).all()


def test_a_task_that_has_ended_is_left_as_such(booted: Booted) -> None:
    assert booted.guest.has_ended(0x80)
    assert not booted.guest.has_ended(1)


# --- patching --------------------------------------------------------------------------------


def test_ftrace_is_as_the_kernel_says(booted: Booted) -> None:
    stage = booted.stages["traced"]
    (total,) = re.findall(r"^(\d+) pages:\d+ groups: \d+", stage.said, re.MULTILINE)
    assert len(stage.records) == int(total)
    (record,) = [record for record in stage.records if record.count]
    symbols = booted.guest.image.symbols
    found = symbols.at(record.ip)
    assert found is not None
    assert found[0].name == "cmdline_proc_show"
    assert record.count == 1
    assert {"ENABLED", "TRAMP", "TRAMP_EN"} <= record.flags
    assert "REGS" not in record.flags
    (ops,) = [each for each in stage.ops if each.trampoline]
    assert ops.trampoline is not None
    assert [ops.trampoline[0]] == numbers(stage.said, r"tramp: 0x([0-9a-f]+)")
    assert symbols.describe(ops.func) == "function_trace_call"
    assert stage.names[ops.trampoline[0]] == "trampoline of function_trace_call"
    assert [record for record in booted.stages["tasks"].records if record.count] == []


def test_kprobes_are_as_the_kernel_says(booted: Booted) -> None:
    stage = booted.stages["probed"]
    assert [each.address for each in stage.kprobes] == sorted(
        numbers(stage.said, r"(?m)^([0-9a-f]{16})  k")
    )
    (entry,) = [each for each in stage.kprobes if each.symbol == "vfs_read"]
    (inside,) = [each for each in stage.kprobes if each is not entry]
    assert "FTRACE" in entry.flags
    assert "FTRACE" not in inside.flags
    assert inside.symbol == "cmdline_proc_show"
    assert inside.offset in (5, 9)
    assert booted.stages["unprobed"].kprobes == ()


def test_arming_kprobes_is_told(booted: Booted) -> None:
    places = {signed(each.address) for each in booted.stages["probed"].kprobes}
    for stage, step in (("probed", "arm"), ("unprobed", "disarm")):
        rows = booted.rows(stage)
        rows = rows[(rows[:, E_KIND] == probes.KPROBE)]
        mine = rows[rows[:, E_A] == probes.KPROBE_STEPS.index(step)]
        assert places == set(mine[:, E_TASK].tolist())


def test_the_phases_of_a_patch_are_told_in_order(booted: Booted) -> None:
    """Between the phases: the stores, and of every core that it has serialised itself."""
    rows = booted.rows("traced")
    wanted = {events.PHASE, events.TEXT_STORE, probes.SYNC}
    rows = rows[np.isin(rows[:, E_KIND], list(wanted))]
    begins = np.flatnonzero((rows[:, E_KIND] == events.PHASE) & (rows[:, E_A] == 0))
    assert len(begins) > 5
    for begin in begins.tolist():
        patcher, sites = int(rows[begin, E_CORE]), int(rows[begin, E_TASK])
        assert sites > 0
        found: dict[str, list[list[int]]] = {}
        for row in rows[begin:].tolist():
            if row[E_KIND] == events.PHASE:
                assert row[E_CORE] == patcher
                found[phase := PHASES[row[E_A]]] = []
                if phase == "done":
                    break
            else:
                found[phase].append(row)
        assert tuple(found) == PHASES
        for phase in ("int3", "tail", "head"):
            stores = [row for row in found[phase] if row[E_KIND] == events.TEXT_STORE]
            places = {row[E_ADDRESS] for row in stores}
            assert len(places) >= sites if phase == "tail" else len(places) == sites
            assert {row[E_CORE] for row in stores} == {patcher}
        assert {row[E_B] & 0xFF for row in found["int3"]} == {0xCC}
        for phase in ("sync1", "sync2", "sync3"):
            assert sorted(row[E_CORE] for row in found[phase]) == [*range(CORES)]
            assert {row[E_KIND] for row in found[phase]} == {probes.SYNC}


def test_syncs_are_asked_for_by_the_sync_vector(booted: Booted) -> None:
    vector = booted.guest.sync_vector
    rows = booted.rows("traced")
    syncs = np.flatnonzero(rows[:, E_KIND] == probes.SYNC)
    asked = 0
    for at in syncs.tolist():
        since = np.flatnonzero(rows[:at, E_KIND] == events.DELIVERED)
        mine = since[rows[since, E_CORE] == rows[at, E_CORE]]
        asked += bool(len(mine) and rows[mine[-1], E_A] == vector)
    assert asked >= len(syncs) // 2 - 2  # all but those of the core that patches, or polls


def test_every_int3_of_the_kernel_has_an_answer(booted: Booted) -> None:
    rows = booted.machine.events.since(booted.first.events)
    traps = rows[(rows[:, E_KIND] == events.TRAP) & (rows[:, E_A] == 3)]
    answers = rows[rows[:, E_KIND] == probes.INT3]
    taken = answers[answers[:, E_A] & 0xFFFFFFFF != 0]
    assert len(taken) == len(traps) > 0
    kprobe = probes.INT3_HANDLERS.index("kprobe")
    of_probed = booted.rows("probed")
    hits = of_probed[(of_probed[:, E_KIND] == probes.INT3) & (of_probed[:, E_B] == kprobe)]
    assert (hits[:, E_A] & 0xFFFFFFFF != 0).any()


def test_a_jump_takes_the_place_of_an_int3_after_a_grace_period(booted: Booted) -> None:
    """Of Tasks-RCU: somebody may stand between the bytes that the jump covers."""
    symbols = booted.guest.image.symbols
    optimize = probes.KPROBE_STEPS.index("optimize")
    waits: dict[int, int] = {}
    over: list[int] = []
    told = []
    for row in booted.rows("probed").tolist():
        if row[E_KIND] == probes.GRACE_BEGIN:
            waits[row[E_TASK]] = row[E_A]
        elif row[E_KIND] == probes.GRACE_END:
            over.append(waits.pop(row[E_TASK]))
        elif row[E_KIND] == probes.KPROBE and row[E_A] == optimize:
            told.append(list(over))
    assert len(told) == 1
    assert signed(symbols["rcu_tasks"].address) in told[0]


def test_code_that_is_added_later_is_known_to_every_guest_of_a_run(booted: Booted) -> None:
    other = booted.guest.on(booted.machine)
    assert other.describe(0x7004) == "0x7004"
    named = Symbols([Symbol("added", 0x7000, 16, "func")])
    booted.guest.add_code(CodeRegion(0x7000, 0x7010, "trampoline", named, lambda _address: None))
    assert other.describe(0x7004) == booted.guest.describe(0x7004) == "added+0x4"
    assert (0x7000, 0x7010) in [(each.begin, each.end) for each in other.regions()]


def test_ftrace_tells_when_it_changes_sites(booted: Booted) -> None:
    rows = booted.rows("traced")
    steps = rows[rows[:, E_KIND] == probes.FTRACE][:, E_A].tolist()
    assert steps
    assert steps == [*range(len(probes.FTRACE_STEPS))] * (len(steps) // 3)


def test_replaced_return_addresses_are_seen_through(booted: Booted) -> None:
    """The graph tracer and a kretprobe have put theirs on the stack of a task that sleeps."""
    names = {}
    for stage in ("returning", "returned"):
        found = booted.stages[stage]
        (init,) = [task for task in found.tasks if task.pid == 1]
        stack = found.stacks[init.address]
        assert stack.reliable
        names[stage] = [frame.function for frame in stack.frames]
    assert {"do_nanosleep", "hrtimer_nanosleep"} <= set(names["returning"])
    assert names["returning"] == names["returned"]
    words = booted.stages["returning"].init_stack
    symbols = booted.guest.image.symbols
    for name in ("return_to_handler", "arch_rethook_trampoline"):
        assert symbols[name].address in words, name


# --- live patches ----------------------------------------------------------------------------


def test_a_module_is_as_the_kernel_says(patched: Booted) -> None:
    stage = patched.stages["patched"]
    (module,) = stage.modules
    assert (module.name, module.state) == ("lp_cmdline", "live")
    assert [module.text[0]] == numbers(stage.said, r"(?m)^lp_cmdline .* 0x([0-9a-f]+)")
    said = re.findall(r"^([0-9a-f]{16}) [tT] (\S+)\s+\[lp_cmdline\]", stage.said, re.MULTILINE)
    functions = {(f"{each.address:016x}", each.name) for each in module.symbols}
    assert {(address, name) for address, name in said} <= functions
    (new,) = module.symbols.all("lp_cmdline_proc_show")
    assert stage.names[new.address] == "lp_cmdline_proc_show"
    assert patched.stages["unpatched"].modules == ()
    assert patched.guest.describe(new.address) == f"{new.address:#x}"


def test_a_live_patch_is_as_it_was_written(patched: Booted) -> None:
    stage = patched.stages["patched"]
    (patch,) = stage.livepatches
    (kernel,) = patch.objects
    (function,) = kernel.functions
    assert (patch.module, patch.enabled, patch.replace) == ("lp_cmdline", True, False)
    assert (kernel.name, kernel.patched) == ("vmlinux", True)
    assert (function.name, function.patched, function.transition) == (
        "cmdline_proc_show", True, False,
    )  # fmt: skip
    assert function.old == patched.guest.image.symbols["cmdline_proc_show"].address
    assert stage.names[function.new] == "lp_cmdline_proc_show"
    assert stage.transition is None
    assert patched.stages["unpatched"].livepatches == ()


def test_a_transition_is_told_from_its_begin_to_its_end(patched: Booted) -> None:
    """Every task goes over once; who is told not to, is tried again or comes by itself."""
    for stage in ("patched", "unpatched"):
        rows = patched.rows(stage)
        steps = rows[rows[:, E_KIND] == probes.LIVEPATCH][:, E_A].tolist()
        words = [probes.LIVEPATCH_STEPS[step] for step in steps]
        assert words[:3] == ["init", "start", "try"]
        assert words[-1] == "complete"
        assert set(words[3:-1]) <= {"try"}
        tried = rows[rows[:, E_KIND] == probes.LIVEPATCH_TASK]
        gone = tried[tried[:, E_A] & 0xFFFFFFFF == 0][:, E_TASK].tolist()
        there = {signed(task.address) for task in patched.stages["probed"].tasks}
        still = {signed(task.address) for task in patched.stages[stage].tasks}
        assert there & still <= set(gone)


# --- where it is -----------------------------------------------------------------------------


def test_a_kernel_that_nobody_moves_is_where_it_was_linked(booted: Booted) -> None:
    guest = booted.guest
    assert guest.slide is not None
    assert (guest.slide.virtual, guest.slide.physical) == (0, 0)
    assert guest.online() == ALL
    assert guest.all_run_tasks()
    assert guest.objects["init_task"].comm.string_() == "swapper/0"  # type: ignore[union-attr] # a task


def test_a_kernel_that_its_decompressor_moves_is_found(linux_file: Path) -> None:
    """With KASLR. Before, the guest says that nobody knows."""
    linux = LinuxImage.read(linux_file)
    try:
        image = linux.with_initramfs(b"", bzimage=True)
    except BadImage as error:
        pytest.skip(str(error))
    machine = Machine(image.boot_image, cores=1, ram_mib=256, command_line=APPEND, model="coherent")
    guest = LinuxGuest(machine, image)
    assert (guest.slide, guest.probes(), guest.tasks(), guest.current(0)) == (None, (), (), None)
    banner = linux.symbols["linux_banner"].address
    with pytest.raises(TextpokeError, match=r"linux_banner: where the kernel runs is not known"):
        guest.read(banner, 8)
    chooser = round_robin(100_000)
    while guest.slide is None:
        assert machine.drive(chooser, instructions=1_000_000) == loop.BOUND
        assert machine.retired() < 1_000_000_000
    slide = guest.slide
    assert slide.virtual
    assert slide.virtual % (2 << 20) == 0
    moved = guest.image.symbols["linux_banner"]
    assert moved.address == banner + slide.virtual
    text = linux.read_virtual(banner, 64)
    assert guest.read(moved.address, 64) == text
    assert machine.read(guest.image.load_address(moved.address) or 0, 64) == text
    assert guest.image.symbols.get("cpu_number") == linux.symbols.get("cpu_number")  # per CPU
    assert guest.image.sites.of("vfs_read") == linux.sites.of("vfs_read") + slide.virtual
    entry = guest.image.load_address(guest.image.symbols["__switch_to_asm"].address)
    assert entry in {probe.address for probe in guest.probes()}
    assert guest.describe(machine.rip(0)) == guest.image.symbols.describe(machine.rip(0))


def test_stores_to_code_that_was_moved_are_told_of(linux_file: Path) -> None:
    """Whether a core has fetched it or not: most functions are patched before they are called."""
    linux = LinuxImage.read(linux_file)
    try:
        image = linux.with_initramfs(b"", bzimage=True)
    except BadImage as error:
        pytest.skip(str(error))
    lab = emu.lab.boot(image, append=emu.lab.COMMAND_LINE, cores=1, ram_mib=256, seed=None)
    while not lab.guest.probes():
        assert lab.run(instructions=5_000_000) is End.BOUND
    begin = len(lab.machine.events)
    lab.run(instructions=150_000_000)
    rows = lab.machine.events.since(begin)
    site = lab.guest.image.sites.of("vfs_read")
    assert site is not None
    stores = rows[rows[:, E_KIND] == events.TEXT_STORE, E_ADDRESS]
    assert (stores == lab.guest.image.load_address(site)).any()  # ftrace_init makes it a nop


def test_another_machine_is_seen_by_the_same_guest(booted: Booted) -> None:
    machine = type(booted.machine).from_snapshot(booted.machine.save())
    other = booted.guest.on(machine)
    assert isinstance(other, LinuxGuest)
    assert other.tasks() == booted.guest.tasks()
    assert other.probes() == booted.guest.probes()
