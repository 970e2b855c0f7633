"""The places in a Linux kernel that are events, and what each of them tells.

Only here do names of functions become kinds of `guest.probes`. What a kernel does not have makes
no event. Who loses a core, and how, no single place tells: `__schedule` says by its call of
`rcu_note_context_switch(preempt)` whether the core is taken, which is kept, and `__switch_to_asm`
has the two tasks. That is what the tracepoint sched_switch has, which itself is not called while
nobody traces it; the state is read where it stands, so of a task that another core is just waking
it is TASK_WAKING. Between the two, and between the two places of klp_try_switch_task, preemption
is off, so what a core keeps is still its own. Sources: kernel/sched/core.c; kernel/rcu/tasks.h,
rcu_tasks_one_gp; kernel/livepatch/transition.c; arch/x86/kernel/traps.c, exc_int3;
arch/x86/kernel/dumpstack.c, oops_begin.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from emu.errors import BadImage, BadSymbol
from emu.guest import probes as kinds
from emu.guest.linux.flow import Flow
from emu.guest.linux.phases import phase_places
from emu.image.linux_image import LinuxImage
from emu.machine import events
from emu.machine.probe_values import Constant, Field, Kept, Register, Value
from emu.machine.probes import KEEP, Probe
from emu.machine.unicorn_layout import GS, RAX, RDI, RSI, SEGMENT_BASE
from emu.moves.plan import PHASES

_NOTHING: Final = Constant(0)
_FIRST, _SECOND, _RESULT = Register(RDI), Register(RSI), Register(RAX)
_THUNKS: Final = ("__x86_indirect_thunk_array", "__x86_indirect_thunk_rax")
_INT3_HANDLERS: Final = {
    "text_poke": ("poke_int3_handler", "smp_text_poke_int3_handler"),
    "kprobe": ("kprobe_int3_handler",),
}
_LIVEPATCH: Final = {
    "init": "klp_init_transition",
    "start": "klp_start_transition",
    "try": "klp_try_complete_transition",
    "reverse": "klp_reverse_transition",
    "cancel": "klp_cancel_transition",
    "complete": "klp_complete_transition",
}
_KPROBES: Final = {
    "arm": ("arm_kprobe",),
    "disarm": ("disarm_kprobe", "__disarm_kprobe", "__disarm_kprobe_ftrace"),
    "optimize": ("arch_optimize_kprobes",),
    "unoptimize": ("arch_unoptimize_kprobes",),
}
_TRIES: Final = ("task_call_func", "klp_check_and_switch_task")
"""What says whether a task goes over: of another task, and since 6.4 of the current one."""

_LISTS: Final = ("optimize", "unoptimize")


def kernel_probes(image: LinuxImage) -> tuple[Probe, ...]:
    """Return the probes of a kernel; image: where it runs."""
    return tuple(_Table(image).probes())


class _Table:
    """What the probes of a kernel are made of."""

    def __init__(self, image: LinuxImage) -> None:
        self._image = image
        self._current = self._current_task()

    def probes(self) -> Iterator[Probe]:
        """Yield all probes."""
        yield from self._switches()
        yield from self._phases()
        yield from self._breakpoints()
        yield from self._at("do_sync_core", kinds.SYNC, task=self._current)
        yield from self._at("oops_begin", kinds.OOPS, task=self._current)
        yield from self._grace_periods()
        yield from self._livepatches()
        yield from self._kprobes()
        yield from self._ftrace()

    def _switches(self) -> Iterator[Probe]:
        state = self._offset("task_struct", "__state", "state")
        left = _NOTHING if state is None else Field(RDI, state)
        yield from self._at("rcu_note_context_switch", KEEP, _FIRST)
        yield from self._at(
            "__switch_to_asm", kinds.SWITCH, Kept(), _FIRST, task=_SECOND, stack=left
        )

    def _phases(self) -> Iterator[Probe]:
        for phase, places in phase_places(self._image).items():
            number, armed = Constant(PHASES.index(phase)), phase == "arm"
            vector, count = (_FIRST, _SECOND) if armed else (_NOTHING, _NOTHING)
            for place in places:
                yield from self._probe(place, events.PHASE, number, vector, task=count)

    def _breakpoints(self) -> Iterator[Probe]:
        for number, handler in enumerate(kinds.INT3_HANDLERS):
            for place in self._behind("exc_int3", _INT3_HANDLERS[handler]):
                answer = _RESULT, Constant(number)
                yield from self._probe(place, kinds.INT3, *answer, task=self._current)

    def _grace_periods(self) -> Iterator[Probe]:
        """Yield what tells of the one call of `rtp->gp_func(rtp)`."""
        flow = self._flow("rcu_tasks_one_gp")
        calls = () if flow is None else flow.calls(_THUNKS)
        if flow is None or len(calls) != 1:
            return
        yield from self._probe(calls[0], kinds.GRACE_BEGIN, _FIRST, task=self._current)
        end = flow.following(calls[0])
        if end is not None:
            yield from self._probe(end, kinds.GRACE_END, task=self._current)

    def _livepatches(self) -> Iterator[Probe]:
        for number, step in enumerate(kinds.LIVEPATCH_STEPS):
            patch = _FIRST if step == "init" else _NOTHING
            yield from self._at(
                _LIVEPATCH[step], kinds.LIVEPATCH, Constant(number), patch, task=self._current
            )
        yield from self._at("klp_try_switch_task", KEEP, _FIRST)
        for place in self._behind("klp_try_switch_task", _TRIES):
            yield from self._probe(place, kinds.LIVEPATCH_TASK, _RESULT, task=Kept())
        yield from self._at(
            "klp_update_patch_state", kinds.LIVEPATCH_TASK, _NOTHING, Constant(1), task=_FIRST
        )

    def _kprobes(self) -> Iterator[Probe]:
        place = self._offset("kprobe", "addr")
        for number, step in enumerate(kinds.KPROBE_STEPS):
            known = place is not None and step not in _LISTS
            address = Field(RDI, place or 0) if known else _NOTHING
            for name in _KPROBES[step]:
                yield from self._at(name, kinds.KPROBE, Constant(number), _FIRST, task=address)

    def _ftrace(self) -> Iterator[Probe]:
        prepare, modify, done = (Constant(number) for number in range(len(kinds.FTRACE_STEPS)))
        finish = "ftrace_arch_code_modify_post_process"
        yield from self._at(
            "ftrace_arch_code_modify_prepare", kinds.FTRACE, prepare, task=self._current
        )
        yield from self._at(
            "ftrace_modify_all_code", kinds.FTRACE, modify, _FIRST, task=self._current
        )
        for place in self._behind(finish, ("text_poke_finish", "smp_text_poke_batch_finish")):
            yield from self._probe(place, kinds.FTRACE, done, task=self._current)

    # --- what they are made of -----------------------------------------------------------------

    def _at(  # noqa: PLR0913 -- the columns of an event
        self,
        function: str,
        kind: int,
        a: Value = _NOTHING,
        b: Value = _NOTHING,
        *,
        task: Value = _NOTHING,
        stack: Value = _NOTHING,
    ) -> Iterator[Probe]:
        """Yield the probe at the entry of a function, if there is one of this name."""
        symbol = self._image.symbols.get(function)
        if symbol is not None and symbol.kind == "func":
            yield from self._probe(symbol.address, kind, a, b, task=task, stack=stack)

    def _probe(  # noqa: PLR0913 -- as _at
        self,
        address: int,
        kind: int,
        a: Value = _NOTHING,
        b: Value = _NOTHING,
        *,
        task: Value = _NOTHING,
        stack: Value = _NOTHING,
    ) -> Iterator[Probe]:
        physical = self._image.load_address(address)
        if physical is not None:
            yield Probe(physical, kind, values=(a, b, task, stack))

    def _behind(self, function: str, callees: Iterable[str]) -> Iterator[int]:
        """Yield where a function goes on after each of its calls of some others."""
        flow = self._flow(function)
        for call in () if flow is None else flow.calls(callees):
            place = None if flow is None else flow.following(call)
            if place is not None:
                yield place

    def _flow(self, function: str) -> Flow | None:
        symbol = self._image.symbols.get(function)
        try:
            return None if symbol is None else Flow(self._image, symbol)
        except BadImage:
            return None

    def _current_task(self) -> Value:
        """Return the task of the core, which per-CPU memory behind GS has."""
        hot, task = (self._image.symbols.get(name) for name in ("pcpu_hot", "current_task"))
        offset = self._offset("pcpu_hot", "current_task") if hot else 0
        symbol = hot or task
        if symbol is None or offset is None:
            return _NOTHING
        return Field(GS + SEGMENT_BASE, symbol.address + offset)

    def _offset(self, structure: str, *members: str) -> int | None:
        """Return where the first of the members is that a structure has."""
        try:
            kind = self._image.types.struct(structure)
        except (BadSymbol, BadImage):
            return None
        for name in members:
            try:
                return kind.member(name).offset
            except BadSymbol:
                continue
        return None
