"""The walk of a stack, by call frame information, and when to believe it.

Conservative, as Linux's reliable unwinder is (Documentation/livepatch/reliable-stacktrace.rst): a
stack is called reliable only if each step is by known rules, and its outcome is possible. Checked
at every step: saved words lie in the stack of the task or one of its core, above RSP; RSP grows,
or goes to a stack it was not on before; whoever knows the code has no doubts about a return
address; registers that a handler is about to change are not believed. What a walk believes,
it has read at one instant: memory is kept from one step to the next, and not from walk to walk.
"""

from collections.abc import Callable
from typing import Final, Protocol

from emu.errors import TextpokeError
from emu.guest.breakpoint_frame import COPIED, is_changing
from emu.guest.code import Place
from emu.guest.registers import Registers
from emu.guest.stack import Frame, FrameKind, Stack
from emu.guest.stack_areas import StackAreas
from emu.image.cursor import Malformed
from emu.image.frame_expression import evaluate
from emu.image.frame_rules import CALLEE_SAVED, COLUMNS, CS, RSP, Rule, Rules
from emu.image.objects import Reader

MAX_FRAMES: Final = 256

_PAGE, _WORD = 4096, (1 << 64) - 1


class Lost(TextpokeError):  # noqa: N818 -- it says what has happened to the walk
    """A walk cannot go on, or must not be believed any further; the message says why."""


class Text(Protocol):
    """What a walk asks about the code of a guest; `Code` knows call frame information of files."""

    def at(self, address: int, *, returns: bool = False) -> Place:
        """Return what is known of an address; returns: it is a return address."""

    def is_inexact(self, address: int) -> bool:
        """Return whether the rules at an instruction are not to be believed."""

    def doubt(self, address: int, callee: Frame) -> str | None:
        """Return what is wrong with a return address that a callee has, None if nothing is."""

    def begins(self, address: int, after: int) -> bool:
        """Return whether a task begins at an address: its first switch at `after` leads there."""

    def ends(self, frame: Frame, above: int | None, *, own: bool) -> bool:
        """Return whether a frame that says so is the last one.

        above: the bytes of its stack above it; None: it is on none. own: it is the task's.
        """

    def in_site(self, address: int) -> bool:
        """Return whether an address is that behind the first byte of a site."""


def as_found(address: int, _slot: int) -> int:
    """Return a return address as it is on the stack: nobody has replaced it."""
    return address


class Walk:
    """One walk.

    Args:
        code: of the guest.
        read: memory, as the task maps it.
        bounds: lowest byte of its kernel stack, and behind the last; None if nobody knows.
        others: other stacks that it may be on: those of its core.
        original: for a return address and where it was found, the one that was there before
            somebody replaced it in order to see the return; itself, if nobody has.
    """

    def __init__(
        self,
        code: Text,
        read: Reader,
        bounds: tuple[int, int] | None,
        others: tuple[tuple[int, int], ...] = (),
        original: Callable[[int, int], int] = as_found,
    ) -> None:
        self._code, self._memory, self._original = code, read, original
        self._areas = StackAreas(() if bounds is None else (bounds, *others))
        self._pages: dict[int, bytes] = {}
        self._frames: list[Frame] = []
        self._below: int | None = None  # the CFA of the callee, if it is on the same stack

    def stack(self, start: Registers) -> Stack:
        """Return the stack that begins with these registers."""
        registers: Registers | None = start
        try:
            while registers is not None:
                if len(self._frames) == MAX_FRAMES:
                    raise Lost(f"over {MAX_FRAMES} frames")
                registers = self._step(registers)
            if not self._areas.known:
                raise Lost("the kernel does not say where the stack is")
        except TextpokeError as error:
            return Stack(tuple(self._frames), str(error))
        return Stack(tuple(self._frames))

    def _step(self, registers: Registers) -> Registers | None:
        """Note a frame and return the registers of its caller; None where the stack ends."""
        place = self._code.at(registers.pc, returns=registers.is_return)
        rules = place.rules
        cfa = None
        try:
            if rules is not None:
                cfa = self._cfa(registers, rules)
        finally:
            frame = _frame(registers, place, cfa)
            self._frames.append(frame)
        if rules is None or cfa is None:
            if registers.user and not place.inside:
                return None  # a program that the image knows nothing of
            raise Lost(f"no call frame information at {frame}")
        if not registers.is_return and self._code.is_inexact(registers.pc):
            raise Lost(f"call frame information is not exact at {frame}")
        if rules.outermost:
            self._check_end(registers, cfa, frame)
            return None
        below, areas = self._below, self._areas
        same = below is not None and areas.of_pointer(cfa) == areas.of_pointer(below)
        if below is not None and same and cfa <= below:
            raise Lost(f"the frame of {frame} is not above that of its callee")
        self._below = cfa
        return self._caller(registers, rules, cfa, frame)

    # --- one step ------------------------------------------------------------------------------

    def _caller(self, registers: Registers, rules: Rules, cfa: int, frame: Frame) -> Registers:
        columns: list[int | None] = [None] * COLUMNS
        for column in range(COLUMNS) if rules.signal_frame else CALLEE_SAVED:
            columns[column] = registers.columns[column]
        columns[RSP] = cfa
        for column, rule in rules.registers.items():
            columns[column] = self._value(registers, rule, cfa, column)
        pc, sp = columns[rules.return_address], columns[RSP]
        if pc is None or sp is None:
            raise Lost(f"{frame} does not say where it returns to")
        slot = self._slot(registers, rules.registers.get(rules.return_address), cfa)
        pc = pc if slot is None else self._original(pc, slot)
        user = registers.user
        if rules.signal_frame and not user and self._from_ring_3(registers, rules, columns, cfa):
            user = True
        caller = Registers(pc, not rules.signal_frame, user, tuple(columns))
        if registers.user == user:
            self._check_stack(registers, sp)
        else:
            self._below = None
        if rules.signal_frame and not user:
            self._check_breakpoint(registers, rules, cfa)
        return self._returned(caller, frame) if caller.is_return else caller

    def _cfa(self, registers: Registers, rules: Rules) -> int:
        if rules.cfa.kind == "val_offset":
            return self._known(registers, rules.base) + rules.cfa.value & _WORD
        return self._evaluate(registers, rules.cfa, ())

    def _value(self, registers: Registers, rule: Rule, cfa: int, column: int) -> int | None:
        """Return what a rule says of a column of the caller; None if it is lost."""
        found: int | None = None
        match rule.kind:
            case "offset" | "expression":
                at = self._slot(registers, rule, cfa)
                found = None if at is None else self._saved(registers, at)
            case "val_offset":
                found = cfa + rule.value & _WORD
            case "same":
                found = registers.columns[column]
            case "register" if rule.value < COLUMNS:
                found = registers.columns[rule.value]
            case "val_expression":
                found = self._evaluate(registers, rule, (cfa,))
        return found

    def _evaluate(self, registers: Registers, rule: Rule, stack: tuple[int, ...]) -> int:
        try:
            return evaluate(
                rule.code, lambda column: self._known(registers, column), self._read, stack
            )
        except Malformed as error:
            raise Lost(f"call frame information is malformed: {error}") from None

    def _known(self, registers: Registers, column: int) -> int:
        value = registers.columns[column] if column < COLUMNS else None
        if value is None:
            raise Lost(f"the value of register {column} is not known")
        return value

    def _from_ring_3(
        self, registers: Registers, rules: Rules, columns: list[int | None], cfa: int
    ) -> bool:
        """Return whether it is ring 3 that was interrupted.

        CS lies above RIP where a core pushes both; RIP in a register is SYSCALL's doing, which
        ring 0 does not do. Source: SDM volume 3A, section 6.14.2, and volume 2, SYSCALL.
        """
        selector, rule = columns[CS], rules.registers.get(rules.return_address)
        if selector is None and rule is not None:
            if rule.kind in ("register", "same"):
                return True
            at = self._slot(registers, rule, cfa)
            selector = None if at is None else self._read(at + 8 & _WORD, 8)
        if selector is None:
            raise Lost("nothing says in which ring the interrupted code is")
        return selector & 3 == 3

    def _slot(self, registers: Registers, rule: Rule | None, cfa: int) -> int | None:
        """Return where a register is saved, if it is in memory."""
        if rule is not None and rule.kind == "offset":
            return cfa + rule.value & _WORD
        if rule is not None and rule.kind == "expression":
            return self._evaluate(registers, rule, (cfa,))
        return None

    # --- what is believed ----------------------------------------------------------------------

    def _saved(self, registers: Registers, address: int) -> int:
        """Return a word that was saved on the stack."""
        areas, sp = self._areas, self._known(registers, RSP)
        area = areas.holding(address, 8)
        if address < sp and (registers.user or area == areas.of_pointer(sp) or area is None):
            raise Lost("a register is saved below the stack pointer")
        if not registers.user and areas.known and area is None:
            raise Lost(f"the stack pointer is outside {areas.where()}")
        return self._read(address, 8)

    def _check_stack(self, registers: Registers, sp: int) -> None:
        """Raise Lost unless the caller's RSP is possible."""
        areas, below = self._areas, self._known(registers, RSP)
        area, left = areas.of_pointer(sp), areas.of_pointer(below)
        if sp < below and (registers.user or area == left or area is None):
            raise Lost("the stack pointer does not grow from callee to caller")
        if sp % 8:
            raise Lost("the stack pointer is not a multiple of 8")
        if registers.user or not areas.known:
            return
        if area is None:
            raise Lost(f"the stack pointer is outside {areas.where()}")
        if area != left and not areas.leave(left, area):
            raise Lost("the stack pointer goes back to a stack that was left")

    def _check_end(self, registers: Registers, cfa: int, frame: Frame) -> None:
        """Raise Lost unless a stack can end here."""
        if registers.user or not self._areas.known:
            return
        area = self._areas.of_pointer(cfa)
        above = None if area is None else area[1] - cfa
        if not self._code.ends(frame, above, own=area == self._areas.first):
            raise Lost(f"{frame} does not say who called it")

    def _check_breakpoint(self, registers: Registers, rules: Rules, cfa: int) -> None:
        rule = rules.registers.get(rules.return_address)
        at = self._slot(registers, rule, cfa)
        if at is None or (self._areas.known and self._areas.holding(at, COPIED) is None):
            return
        if is_changing(at, self._code.in_site, lambda address: self._saved(registers, address)):
            raise Lost("the int3 handler is changing the interrupted registers")

    def _returned(self, caller: Registers, frame: Frame) -> Registers:
        """Return the caller; raises Lost unless its pc can be a return address."""
        pc = caller.pc
        if self._code.begins(pc, frame.pc):
            return Registers(pc, False, caller.user, caller.columns)
        why = self._code.doubt(pc, frame)
        if why is not None:
            raise Lost(f"the return address {pc:#x} {why}")
        return caller

    # --- memory --------------------------------------------------------------------------------

    def _read(self, address: int, size: int) -> int:
        offset = address % _PAGE
        if offset + size > _PAGE:
            return int.from_bytes(self._memory(address, size), "little")
        page = address - offset
        if page not in self._pages:
            self._pages[page] = self._memory(page, _PAGE)
        return int.from_bytes(self._pages[page][offset : offset + size], "little")


def _frame(registers: Registers, place: Place, cfa: int | None) -> Frame:
    kind: FrameKind = place.kind
    if registers.user:
        kind = "user"
    elif place.rules is not None and place.rules.signal_frame:
        kind = "interrupt"
    return Frame(
        registers.pc,
        registers.is_return,
        cfa,
        kind,
        place.function,
        place.offset,
        place.source,
    )
