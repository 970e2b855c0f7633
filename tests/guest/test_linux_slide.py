"""Where a kernel runs is told by the addresses that a processor holds."""

from dataclasses import dataclass, field

import pytest

from emu.guest.linux.slide import Slide, find_slide
from emu.image.symbols import Symbol, Symbols
from emu.machine.unicorn_layout import IDT, LSTAR, SEGMENT_BASE

TEXT, SYSCALL, FAULT = 0xFFFFFFFF81000000, 0xFFFFFFFF81C00080, 0xFFFFFFFF81C00BE0
EARLY_HANDLERS, SIZE = 0xFFFFFFFF8304E000, 32 * 9
LOADED, IDT_AT = 0x1000000, 0xFFFFFE0000000000
SLIDE, PHYSICAL = 0x1DE00000, 0x5200000


@dataclass
class Image:
    """What of an image is asked for."""

    moves: bool = True

    @property
    def symbols(self) -> Symbols:
        return Symbols(
            [
                Symbol("_text", TEXT, 0, "label"),
                Symbol("entry_SYSCALL_64", SYSCALL, 0x29, "func"),
                Symbol("asm_exc_page_fault", FAULT, 0x30, "func"),
                Symbol("early_idt_handler_array", EARLY_HANDLERS, SIZE, "func"),
            ]
        )

    def load_address(self, address: int) -> int:
        return address - TEXT + LOADED


@dataclass
class Processor:
    """A machine with one core; handler: what the gate of #PF leads to."""

    lstar: int = 0
    handler: int | None = None
    mapped: bool = True
    slide: int = SLIDE
    asked: list[int] = field(default_factory=list)

    def register(self, core: int, offset: int) -> int:
        assert core == 0
        return {LSTAR: self.lstar, IDT + SEGMENT_BASE: IDT_AT}[offset]

    def translate(self, address: int) -> int | None:
        if address == IDT_AT + 14 * 16:
            return None if self.handler is None else 0x5000
        there = self.mapped and address == TEXT + self.slide
        return LOADED + PHYSICAL if there else None

    def read(self, address: int, size: int) -> bytes:
        assert (address, size) == (0x5000, 16)
        gate = (self.handler or 0).to_bytes(8, "little")
        return gate[:2] + b"\x10\x00\x00\x8e" + gate[2:] + bytes(4)


@pytest.mark.parametrize(
    "processor",
    [
        Processor(lstar=SYSCALL + SLIDE),
        Processor(handler=FAULT + SLIDE),
        Processor(handler=EARLY_HANDLERS + 14 * 9 + SLIDE),
        Processor(lstar=SYSCALL + SLIDE, handler=0x1234),
    ],
)
def test_a_handler_whose_name_is_known_tells_the_slide(processor: Processor) -> None:
    assert find_slide(processor, Image()) == Slide(SLIDE, PHYSICAL)  # type: ignore[arg-type] # enough


@pytest.mark.parametrize(
    "processor",
    [
        Processor(),
        Processor(lstar=SYSCALL + SLIDE + 8),  # no kernel is moved by that
        Processor(lstar=SYSCALL + SLIDE, mapped=False),
        Processor(lstar=SYSCALL - SLIDE, slide=-SLIDE),
        Processor(lstar=SYSCALL + (1 << 30), slide=1 << 30),
        Processor(handler=0x100200),  # the decompressor's own
    ],
)
def test_what_it_cannot_be_is_not_believed(processor: Processor) -> None:
    assert find_slide(processor, Image()) is None  # type: ignore[arg-type] # as above


def test_a_kernel_that_nobody_moves_is_where_it_was_linked() -> None:
    assert find_slide(Processor(), Image(moves=False)) == Slide(0, 0)  # type: ignore[arg-type] # as above
