"""What a log says of events that a kernel itself tells of; `guest.probes` has what they hold."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from emu.guest import probes as kinds
from emu.machine.events import Event
from emu.scene.task_names import UNKNOWN

if TYPE_CHECKING:
    from emu.scene.log import Log

WORDS: Final = {
    kinds.INT3: "int3",
    kinds.SYNC: "sync",
    kinds.GRACE_BEGIN: "grace period",
    kinds.GRACE_END: "grace period",
    kinds.LIVEPATCH: "live patch",
    kinds.LIVEPATCH_TASK: "live patch",
    kinds.KPROBE: "kprobe",
    kinds.FTRACE: "ftrace",
    kinds.OOPS: "oops",
    kinds.REACHED: "hold",
}
"""One word for each kind of event."""

_HANDLERS: Final = {"text_poke": "of code that is being changed", "kprobe": "of a kprobe"}
_LIVEPATCH: Final = {
    "init": "a live patch gets ready: every task has yet to go over",
    "start": "tasks begin to go over to the live patch, or back",
    "try": "the kernel looks which tasks can go over",
    "reverse": "the transition turns round",
    "cancel": "the transition is given up",
    "complete": "every task has gone over: the transition is complete",
}
_WHY_NOT: Final = {
    -11: "it runs, or is about to",
    -16: "it runs on a core",
    -98: "it stands in a function that is patched",
    -22: "its stack is not reliable",
}
"""By error number: EAGAIN, EBUSY, EADDRINUSE, EINVAL (klp_try_switch_task)."""
_KPROBES: Final = {
    "arm": "a kprobe is armed",
    "disarm": "a kprobe is disarmed",
    "optimize": "kprobes become jumps",
    "unoptimize": "kprobes become int3 again",
}
_FTRACE: Final = {
    "prepare": "ftrace is about to change its sites",
    "modify": "ftrace changes its sites",
    "done": "ftrace has changed its sites",
}


def _step(steps: tuple[str, ...], number: int) -> str:
    return steps[number] if 0 <= number < len(steps) else ""


def _low(value: int) -> int:
    """Return the low 32 bits as a signed number."""
    return (value & 0xFFFFFFFF) - ((value & 1 << 31) << 1)


def _int3(log: "Log", event: Event, site: int) -> str:
    whose = _HANDLERS.get(_step(kinds.INT3_HANDLERS, event.b), "of somebody")
    at = "" if site == UNKNOWN else f"{log.place(site, event)}: "
    return f"{at}{'taken' if _low(event.a) else 'not taken'} by the handler {whose}"


def _sync(_log: "Log", _event: Event, _name: int) -> str:
    return "the core serialises, as text has been changed"


def _grace_begin(log: "Log", event: Event, name: int) -> str:
    return f"{log.task(event.task, name)} waits for a grace period of {log.place(event.a)}"


def _grace_end(log: "Log", event: Event, name: int) -> str:
    return f"the grace period that {log.task(event.task, name)} waited for is over"


def _livepatch(_log: "Log", event: Event, _name: int) -> str:
    return _LIVEPATCH.get(_step(kinds.LIVEPATCH_STEPS, event.a), "")


def _livepatch_task(log: "Log", event: Event, name: int) -> str:
    task, error = log.task(event.task, name), _low(event.a)
    if not error:
        itself = ", by itself" if event.b else ""
        return f"{task} has gone over{itself}"
    return f"{task} cannot go over yet: {_WHY_NOT.get(error, f'error {error}')}"


def _kprobe(log: "Log", event: Event, _name: int) -> str:
    text = _KPROBES.get(_step(kinds.KPROBE_STEPS, event.a), "")
    return f"{text} at {log.place(event.task, event)}" if event.task else text


def _ftrace(_log: "Log", event: Event, _name: int) -> str:
    return _FTRACE.get(_step(kinds.FTRACE_STEPS, event.a), "")


def _oops(_log: "Log", _event: Event, _name: int) -> str:
    return "the kernel has found a fault of its own: Oops"


def _reached(log: "Log", event: Event, _name: int) -> str:
    return f"the core comes to {log.place(event.address, event)}"


SAYS: Final[dict[int, Callable[["Log", Event, int], str]]] = {
    kinds.INT3: _int3,
    kinds.SYNC: _sync,
    kinds.GRACE_BEGIN: _grace_begin,
    kinds.GRACE_END: _grace_end,
    kinds.LIVEPATCH: _livepatch,
    kinds.LIVEPATCH_TASK: _livepatch_task,
    kinds.KPROBE: _kprobe,
    kinds.FTRACE: _ftrace,
    kinds.OOPS: _oops,
    kinds.REACHED: _reached,
}

NAMED: Final = (
    kinds.GRACE_BEGIN,
    kinds.GRACE_END,
    kinds.LIVEPATCH_TASK,
)
"""The kinds whose task is named in the log."""
