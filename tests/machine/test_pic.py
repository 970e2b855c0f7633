"""The 8259 pair, against a model of sets, and its way to a core."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from emu.machine import irq, loop, pic
from emu.machine.events import DELIVERED
from emu.machine.machine import Machine
from emu.moves.chooser import round_robin
from tests.machine.bench import Bench
from tests.machine.guest_builder import build, run_to
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import TEXT

MASTER, SLAVE = 0x20, 0xA0


@dataclass
class Chip:
    """One 8259 as its data sheet tells it: lines in order of priority, sets of requests."""

    order: list[int] = field(default_factory=lambda: list(range(8)))
    lines: set[int] = field(default_factory=set)
    requested: set[int] = field(default_factory=set)
    served: set[int] = field(default_factory=set)
    masked: set[int] = field(default_factory=set)

    def asks(self) -> int | None:
        for line in self.order:
            if line in self.served:
                return None
            if line in self.requested - self.masked:
                return line
        return None

    def set(self, line: int, level: bool) -> None:
        if level and line not in self.lines:
            self.requested.add(line)
        (self.lines.add if level else self.lines.discard)(line)

    def take(self, line: int) -> None:
        self.requested.discard(line)
        self.served.add(line)

    def lowest(self, line: int) -> None:
        self.order = [(line + 1 + n) % 8 for n in range(8)]

    def end(self, command: int) -> None:
        rotate, specific, line = command & 0x80, command & 0x40, command & 7
        if not specific:
            served = [line for line in self.order if line in self.served]
            if not served:
                return
            line = served[0]
        self.served.discard(line)
        if rotate:
            self.lowest(line)


class Pair:
    """Two of them."""

    def __init__(self) -> None:
        self.chips = (Chip(), Chip())

    def settle(self) -> None:
        self.chips[0].set(2, self.chips[1].asks() is not None)

    def acknowledge(self) -> int:
        line = self.chips[0].asks()
        if line is None:
            return 0x27
        self.chips[0].take(line)
        if line != 2:
            return 0x20 + line
        self.chips[0].lines.discard(2)
        below = self.chips[1].asks()
        if below is None:
            return 0x2F
        self.chips[1].take(below)
        return 0x28 + below


LINES = st.sampled_from([line for line in range(16) if line != 2])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), LINES, st.booleans()),
        st.tuples(st.just("mask"), st.integers(0, 1), st.sampled_from([0, 0, 1, 0x10, 0x81, 0xFB])),
        st.tuples(
            st.just("end"), st.integers(0, 1), st.sampled_from([0x20, 0xA0, *range(0x60, 0x68),
                                                                *range(0xE0, 0xE8)]),
        ),
        st.tuples(st.just("lowest"), st.integers(0, 1), st.integers(0, 7)),
        st.tuples(st.just("acknowledge"), st.just(0), st.just(0)),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_priorities_masks_and_ends_as_in_the_model(
    steps: list[tuple[str, int, int | bool]],
) -> None:
    bench, model = Bench(), Pair()
    bench.quiet_timer()
    bench.start_pics()
    for what, where, value in steps:
        if what == "set":
            irq.set_irq(bench.state, where, int(value))
            model.chips[where >> 3].set(where & 7, bool(value))
        elif what == "mask":
            bench.outb((MASTER, SLAVE)[where] + 1, value)
            model.chips[where].masked = {line for line in range(8) if value >> line & 1}
        elif what == "end":
            bench.outb((MASTER, SLAVE)[where], value)
            model.chips[where].end(value)
        elif what == "lowest":
            bench.outb((MASTER, SLAVE)[where], 0xC0 | value)
            model.chips[where].lowest(value)
        elif model.chips[0].asks() is not None:
            vector = pic.vector(bench.state)
            assert pic.acknowledge(bench.state) == vector == model.acknowledge()
        model.settle()
        assert bench.intr == (model.chips[0].asks() is not None)
        for port, chip in zip((MASTER, SLAVE), model.chips, strict=True):
            bench.outb(port, 0x0A)
            assert bench.inb(port) == sum(1 << line for line in chip.requested)
            bench.outb(port, 0x0B)
            assert bench.inb(port) == sum(1 << line for line in chip.served)


def test_level_triggered_lines_ask_as_long_as_they_are_high() -> None:
    bench = Bench()
    bench.start_pics()
    bench.outb(0x4D1, 0xFF)
    assert bench.inb(0x4D1) == 0xDE
    irq.set_irq(bench.state, 11, 1)
    assert pic.acknowledge(bench.state) == 0x2B
    bench.outb(SLAVE, 0x20)
    bench.outb(MASTER, 0x20)
    assert bench.intr
    irq.set_irq(bench.state, 11, 0)
    assert not bench.irq(11)


def test_automatic_end_of_interrupt_leaves_nothing_in_service() -> None:
    bench = Bench()
    bench.quiet_timer()
    bench.start_pics(icw4=3)
    for line in (9, 12):
        irq.set_irq(bench.state, line, 1)
    assert [pic.acknowledge(bench.state), pic.acknowledge(bench.state)] == [0x29, 0x2C]
    assert not bench.intr
    bench.outb(MASTER, 0x0B)
    assert bench.inb(MASTER) == 0


def test_who_acknowledges_nothing_gets_the_spurious_vector() -> None:
    bench = Bench()
    bench.quiet_timer()
    bench.start_pics()
    assert pic.acknowledge(bench.state) == 0x27
    irq.set_irq(bench.state, 5, 1)
    bench.outb(MASTER, 0x0C)
    assert bench.inb(MASTER) == 0x85
    bench.outb(MASTER, 0x0C)
    assert bench.inb(MASTER) == 0


START_PIC = "".join(
    f"mov al, {value:#x}; out {port:#x}, al; "
    for port, value in (
        (0x20, 0x11), (0x21, 0x30), (0x21, 4), (0x21, 1), (0x21, 0xEF), (0x43, 0x30),
    )
)  # fmt: skip
RAISE = "mov dx, 0x3f9; mov al, 2; out dx, al; "  # IRQ4: the transmitter is empty


def vectors(machine: Machine) -> list[int]:
    return [int(row[4]) for row in machine.events.since(0) if row[2] == DELIVERED]


def test_a_core_takes_it_through_lint0_when_interrupts_are_on() -> None:
    code = START_PIC + RAISE
    machine = build(f"cli; {code} nop; sti; nop; nop; cli; hlt").machine()
    run_to(machine, 0, TEXT + len(assemble(f"cli; {code}", TEXT)) + 1)
    assert vectors(machine) == []
    machine.run(0, 2)  # sti, and what it shields
    assert vectors(machine) == []
    machine.run(0, 1)
    assert vectors(machine) == [0x34]
    assert machine.state.pic[0, pic.PIC_ISR] == 0x10


def test_a_masked_lint0_lets_nothing_through() -> None:
    mask = "mov r8d, 0xfee00000; mov dword ptr [r8 + 0x350], 0x10700; "
    machine = build(f"cli; {START_PIC + RAISE + mask} sti; nop; nop; cli; hlt").machine()
    machine.run(0, 500)
    assert vectors(machine) == []
    assert machine.state.pic[0, pic.PIC_IRR] & 0x10


def test_it_goes_to_core_0_only_and_wakes_it() -> None:
    wait = "sti; again: hlt; jmp again"
    machine = build(f"cli; {START_PIC} {RAISE} {wait}", wait).machine()
    for _ in range(20):
        for core in (0, 1):
            machine.run(core, 50)
    rows = [row for row in machine.events.since(0) if row[2] == DELIVERED]
    assert [(int(row[1]), int(row[4])) for row in rows] == [(0, 0x34)]


# As many kernels begin: new vectors, and the masks that were found.
REMAP = """
    in al, 0x21; mov bl, al; in al, 0xa1; mov cl, al
    mov al, 0x11; out 0x20, al; out 0xa0, al
    mov al, 0x20; out 0x21, al; mov al, 0x28; out 0xa1, al
    mov al, 4; out 0x21, al; mov al, 2; out 0xa1, al
    mov al, 1; out 0x21, al; out 0xa1, al
    mov al, bl; out 0x21, al; mov al, cl; out 0xa1, al;
"""
SERVE = "again: sti; hlt; cli; mov al, 0x20; out 0x20, al; jmp again"


def test_a_kernel_that_keeps_the_masks_it_finds_gets_ticks() -> None:
    machine = Machine(build(REMAP + SERVE).image, cores=1, ram_mib=4)
    machine.drive(round_robin(1000), moves=8)
    ticks = [int(row[0]) for row in machine.events.since(0) if row[2] == DELIVERED]
    assert set(vectors(machine)) == {0x20}
    assert len(ticks) >= 3
    assert all(abs(time - 54_925_401 * number) < 2000 for number, time in enumerate(ticks, 1))


def test_at_power_on_nothing_is_requested() -> None:
    """A kernel may enable interrupts for its first 54 ms and meet none."""
    machine = Machine(build("sti; again: inc rcx; jmp again").image, cores=1, ram_mib=4)
    machine.run(0, 54_000_000)
    assert vectors(machine) == []
    machine.run(0, 1_000_000)
    assert vectors(machine) == [8]


def test_who_masks_what_he_found_sleeps_for_ever() -> None:
    code = "mov al, 0xff; out 0x21, al; out 0xa1, al; again: sti; hlt; jmp again"
    machine = Machine(build(code).image, cores=1, ram_mib=4)
    assert machine.drive(round_robin(1000), moves=1000) == loop.STUCK
    assert vectors(machine) == []
