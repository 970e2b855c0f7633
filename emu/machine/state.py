"""The whole changeable state of a machine, as one tuple of flat arrays.

Hooks, loops and Python views all work on the same `State`, so there is one truth: a snapshot is
a copy of these arrays, a hash is a digest of them, and nothing has to be mirrored. Arrays are
int64 where a field is a number and uint8 where it is memory. Rows of `core`, `env` and `apic`
belong to the core of that number.

The names below are column numbers: `M_` machine scalars, `C_` one core, `A_` one xAPIC, `MSR_`
what RDMSR of one core reads, `H_` one text store in the history, `D_` one interrupt held back,
`E_` one event, `P_` one probe, `T_` the trace of fetches, `S_` one shape of a block in it. The
columns of a device's table stand in the device's own file.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

MAX_CORES = 8
ENV_SIZE = 0x15C0  # bytes of CPUX86State that make up one register file (one-engine-stepping.md 1)
PAGE = 4096  # bytes: the granule in which the machine remembers that RAM changed
LINE = 64  # bytes: the granule in which it remembers that text was fetched
MAX_HISTORY = 4096  # text stores that may be alive at once
MAX_EVENTS = 1 << 14  # rows before the loop returns to have them drained
MAX_MOVES = 1 << 14
MAX_PROBES = 2048
MAX_IMAGE_TEXT = 64  # an ELF file has no more segments
MAX_DELAYED = 64  # interrupts held back at once
MAX_TRACED = 1 << 16  # blocks of the trace before the loop returns to have them drained
MAX_SHAPES, SHAPE_SLOTS = 1 << 14, 1 << 15  # different blocks that a trace tells apart at a time
MAX_SHAPE_CODE = 1 << 20  # bytes of their code
MAX_OUTPUT = 1 << 12  # bytes of serial output before the loop returns
FWCFG_SIZE = 1 << 12  # bytes of the items of fw_cfg with their index
MAX_INPUT = 1 << 12  # bytes of serial input that may wait for the UART; a power of two
FOREVER = (1 << 62) - 1  # a virtual time that never comes

# --- machine scalars -------------------------------------------------------------------------
# this engine, this setup
M_UC, M_CPU, M_ENV = 0, 1, 2  # host addresses of the engine, its CPUState and its CPUX86State
M_RAM, M_RAM_SIZE = 3, 4  # host address and bytes
M_RAM_REGION = 5  # host address of the engine's MemoryRegion for all RAM
M_ENV_ROWS, M_SCRATCH = 6, 7  # host addresses of `env` and `scratch`
M_READ_HOOKS, M_WRITE_HOOKS = 8, 9  # the engine's lists of memory hooks, while they are hidden
M_CROSSING_HOOK = 10  # host address of the hook on stores that may cross into another page
M_WATCH_HOOK = 11  # host address of the hook on all loads and stores of a core with ARMED_DATA
M_CORES, M_CURRENT = 12, 13  # how many cores; whose registers the engine holds, or -1
M_MODEL, M_CLOCK_MODE = 14, 15  # the fetch model, of `text`; COUNTED or CHOSEN of `clock`
# time
M_CLOCK = 16  # virtual ns at the start of the slice that runs
M_DEVICE_DEADLINE = 17  # virtual time at which a device next does something by itself
M_DELAYED, M_DELAYED_UNTIL = 18, 19  # interrupts held back: how many, and when the first is due
# the slice and the move
M_SLICE, M_BUDGET = 20, 21  # instructions granted to the slice, and still to go
M_REASON, M_LIMIT = 22, 23  # why the slice stopped; length of the next block after STOP_SPLIT
M_STOP_AFTER = 24  # stop before the next block: bits STOP_FOR_...
M_ERROR = 25  # what uc_emu_start returned, when not 0
M_PICK, M_PICK_LEFT = 26, 27  # a Run that was interrupted to have a table drained; its rest
M_TEXT_HOOK = 28  # host address of the hook on stores to guarded pages
M_DELIVER = 29  # the move Deliver is under way: the running core may take an interrupt
# the admitted block
M_BLOCK_PC, M_BLOCK_PA, M_BLOCK_PA2 = 30, 31, 32  # where it lies; PA2: its second page, or -1
M_BLOCK_COUNT, M_BLOCK_ALONE = 33, 34  # its instructions; may it touch devices and text?
M_BLOCK_SIZE, M_BLOCK_FRESH = 35, 36  # its bytes; has it lines to be marked?
M_SERIAL = 37  # it is one serialising instruction: that counts unless it faults
# the block about to be admitted
M_CANDIDATE_PA, M_CANDIDATE_PA2 = 38, 39
M_CANDIDATE_COUNT, M_CANDIDATE_ALONE = 40, 41
M_EMULATED, M_CANDIDATE_SIZE = 42, 43  # class if the machine executes it, else 0; then its bytes
# the instruction that runs
M_CHOSEN = 44  # the slice executes chosen bytes: 1 to come, 2 done; no questions asked
M_CHOSEN_CODE, M_CHOSEN_KIND = 45, 46  # its first eight bytes; its class of `decode`
M_SWAPPED = 47  # bytes of RAM that hold chosen instead of true values
M_DELIVERING = 48  # the engine pushes a frame (DELIVERING_...): no instruction can be retried
M_DELIVERED = 49  # the vector of what is being delivered
M_TRAP_START = 50  # linear address of the INT, INT3 or INTO that is being delivered
M_CROSSING, M_CROSSING_VALUE = 51, 52  # bytes of a store that lie in its second page, or 0; which
M_LOADS = 53  # the TLB was filled for a load, which comes next
# text
M_TEXT_NOW, M_HISTORY = 54, 55  # the text clock, and how many rows of `history` are alive
M_BEHIND = 56  # the running core's floor is below now
# tables that are never full: rows in use
M_EVENTS, M_MOVES, M_PROBES, M_OUTPUT = 57, 58, 59, 60
M_TRACE = 61  # every block that is admitted is noted in `traced`
M_DIRTY, M_DIRTY_EPOCH = 62, 63  # rows of `dirty_pages`; how often they were forgotten
# devices
M_EXIT = 64  # what the guest wrote to the debug-exit port, or -1
M_END = 65  # why the guest ended the machine, one of `end`
M_FWCFG_KEY, M_FWCFG_AT = 66, 67  # the item of fw_cfg that is read, and how far
M_INTR = 68  # level of the 8259 pair's output, which goes to LINT0 of every core
M_INPUT_HEAD, M_INPUT_TAIL = 69, 70  # bytes ever taken from and put into `input`
M_WATCH, M_WATCHED = 71, 72  # byte of serial output after which the loop returns, or -1; it came
# the patcher
M_PATCHER = 73  # 0 absent, 1 its next step can be made, 2 it waits for a condition
M_WAIT_COUNT = 74  # words in `wait`

M_TABLES = 80  # from here on: host addresses of the arrays in TABLES
M_SIZE = 128

DELIVERING_EVENT, DELIVERING_INT = 1, 2  # an exception or interrupt; INT n, INT3 or INTO

# --- why a slice stopped ---------------------------------------------------------------------
STOP_NONE = 0  # the engine returned by itself: hlt, pause, an error
STOP_BUDGET = 1  # the next block does not fit
STOP_SPLIT = 2  # the next block has to be entered with M_LIMIT instructions
STOP_UNSTABLE = 3  # the next instruction has bytes of which this core may see several versions
STOP_AFTER = 4  # M_STOP_AFTER says why
STOP_NOT_RAM = 5  # the next block is not in RAM
STOP_UNDRAINED = 6  # a table is nearly full: the move goes on when it is drained

# bits of M_STOP_AFTER: the guest ended the machine; a timer has a new deadline; a table has to be
# drained before the move goes on; the move Deliver is done
STOP_FOR_EXIT, STOP_FOR_TIMER, STOP_FOR_DRAIN, STOP_FOR_DELIVERY = 1, 2, 4, 8

# --- one core --------------------------------------------------------------------------------
C_STATE, C_FLOOR = 0, 1  # one of CORE_...; the text time from which on it may see
C_IRQ, C_EXTINT, C_NMI = 2, 3, 4  # vector its APIC offers, or 0; INTR is there; an NMI is pending
C_SIPI = 5  # INIT or start-up IPI to be heeded: `xapic.SIPI_...` or the start-up vector
C_RETIRED, C_STALE = 6, 7  # instructions ever executed, and those of them from stale bytes
C_ARMED = 8  # kinds of breakpoints in its debug registers: bits ARMED_...
C_TRAP = 9  # what comes before its next instruction: bits TRAP_..., and numbers of breakpoints
# A freeze of the floor (fault freeze-floor): armed, then frozen until RSP is C_FREEZE_STACK again.
C_FREEZE, C_FREEZE_STACK = 10, 11
C_TIME_READS = 12  # how often the core read its time stamp, in clock mode `chosen`
C_KEPT = 13  # what the last probe has kept for the next ones
C_SIZE = 16
CORE_WAITS, CORE_RUNS, CORE_HALTED, CORE_DEAD = range(4)  # waits: for a start-up IPI
FREEZE_ARMED, FREEZE_FROZEN = 1, 2
ARMED_EXECUTE, ARMED_DATA, ARMED_PORT = 1, 2, 4
TRAP_HIT = 0xF  # #DB: bits of DR6
TRAP_ICEBP = 1 << 4  # #DB that DR6 does not tell of
TRAP_RESUMED = 1 << 5  # no #DB: RFLAGS.RF has let one instruction pass

# --- one xAPIC -------------------------------------------------------------------------------
(
    A_ID, A_TPR, A_LDR, A_DFR, A_SVR, A_ESR, A_ICR_LOW, A_ICR_HIGH, A_LVT_TIMER, A_LVT_THERMAL,
    A_LVT_COUNTER, A_LVT_LINT0, A_LVT_LINT1, A_LVT_ERROR, A_INITIAL, A_DIVIDE, A_STARTED,
    A_DEADLINE,
) = range(18)  # fmt: skip
A_ISR, A_TMR, A_IRR = 24, 32, 40  # eight words of 32 vectors each, and so is A_IPI
A_IPI = 48  # which of the pending interrupts came from a core
A_SIZE = 56

# --- model-specific registers of one core that the engine does not keep ----------------------
MSR_APIC_BASE, MSR_TSC_OFFSET, MSR_MTRR_DEFAULT, MSR_MCG_STATUS, MSR_MCG_CONTROL = range(5)
MSR_MTRR_FIXED = 8  # eleven
MSR_MTRR_VARIABLE = 24  # eight pairs of base and mask
MSR_BANKS = 40  # of machine checks: ten of control, status, address, miscellaneous
MSR_SIZE = 80

# --- one text store that may still be unseen by some core -------------------------------------
H_TIME, H_ADDRESS, H_LENGTH, H_OLD, H_NEW, H_CORE = range(6)  # H_CORE: who stored, -1 none
H_SIZE = 6

# --- one event, one probe --------------------------------------------------------------------
E_TIME, E_CORE, E_KIND, E_ADDRESS, E_A, E_B, E_TASK, E_STACK = range(8)
E_SIZE = 8
P_ADDRESS, P_KIND, P_VALUES = range(3)  # P_VALUES: of a, b, task, stack a pair, of `probe_values`
P_SIZE = P_VALUES + 4 * 2

# --- the devices: columns of their tables ---
PIC_SIZE, PIT_SIZE, RTC_SIZE, UART_SIZE, IOAPIC_SIZE, BOARD_SIZE = 18, 16, 136, 32, 56, 16

# --- one block of the trace, one shape: a block as it was when it was executed ---------------
# A row of `traced` is the number of the first instruction << 24 | instructions executed << 8 |
# core; a negative one says that the virtual time of the next is ~row.
# S_KIND is the number of instructions << 2 | mode; S_CODE an index into `shape_code`.
S_PC, S_PA, S_PA2, S_KIND, S_BYTES, S_CODE, S_FIRST = range(7)
S_SIZE = 8
# Of `trace`: rows of `traced` in use; shapes, bytes of code and instructions of all shapes;
# the virtual time at which the last block ended.
T_TRACED, T_SHAPES, T_CODE, T_INSTRUCTIONS, T_TIME = range(5)

# --- flags of a line -------------------------------------------------------------------------
LINE_FETCHED = 1  # a core fetched from it: its bytes are text, stores to them make versions
LINE_LIVE = 2  # some store to it is in the history
LINE_PROBE = 4  # a probe lies in it
LINE_GUARDED = 8  # stores to its page are reported to the machine
LINE_EMULATED = 16  # an instruction that the machine executes itself may begin in it

# --- one interrupt that is held back ----------------------------------------------------------
D_CORE, D_VECTOR, D_DUE = range(3)
D_SIZE = 3

MOVE_BYTES = 24  # the size of `emu.moves.move.ROW`, a test compares the two

TABLES = (  # name, bits of an element, columns (0: a vector); in the order of M_TABLES
    ("core", 64, C_SIZE),
    ("env", 8, ENV_SIZE),
    ("apic", 64, A_SIZE),
    ("ram", 8, 0),
    ("lines", 8, 0),
    ("history", 64, H_SIZE),
    ("swap", 64, 2),
    ("wait", 64, 2),
    ("probes", 64, P_SIZE),
    ("events", 64, E_SIZE),
    ("moves", 8, MOVE_BYTES),
    ("places", 64, 0),
    ("output", 8, 0),
    ("scratch", 64, 0),
    ("delayed", 64, D_SIZE),
    ("fwcfg", 8, 0),
    ("msr", 64, MSR_SIZE),
    ("pic", 64, PIC_SIZE),
    ("pit", 64, PIT_SIZE),
    ("rtc", 64, 0),
    ("uart", 64, 0),
    ("ioapic", 64, 0),
    ("board", 64, 0),
    ("input", 8, 0),
    ("trace", 64, 0),
    ("traced", 64, 0),
    ("shapes", 64, S_SIZE),
    ("shape_code", 8, 0),
    ("shape_slots", 64, 0),
    ("dirty", 8, 0),
    ("dirty_pages", 64, 0),
    ("inspected", 8, 0),
    ("image_text", 64, 2),
)

# --- what a snapshot is made of ---------------------------------------------------------------
# Everything is kept but what stands here, so that nothing new can be forgotten.
SCRATCH_SCALARS = (
    M_UC, M_CPU, M_ENV, M_RAM, M_RAM_SIZE, M_RAM_REGION, M_ENV_ROWS, M_SCRATCH, M_READ_HOOKS,
    M_WRITE_HOOKS, M_CROSSING_HOOK, M_WATCH_HOOK, M_TEXT_HOOK, M_CORES, M_CURRENT, M_MODEL,
    M_CLOCK_MODE, M_SLICE, M_BUDGET, M_REASON, M_LIMIT, M_STOP_AFTER, M_ERROR, M_PICK,
    M_PICK_LEFT, M_DELIVER, M_BLOCK_PC, M_BLOCK_PA, M_BLOCK_PA2, M_BLOCK_COUNT, M_BLOCK_ALONE,
    M_BLOCK_SIZE, M_BLOCK_FRESH, M_SERIAL, M_CANDIDATE_PA, M_CANDIDATE_PA2, M_CANDIDATE_COUNT,
    M_CANDIDATE_ALONE, M_EMULATED, M_CANDIDATE_SIZE, M_CHOSEN, M_CHOSEN_CODE, M_CHOSEN_KIND,
    M_SWAPPED, M_DELIVERING, M_DELIVERED, M_TRAP_START, M_CROSSING, M_CROSSING_VALUE, M_LOADS,
    M_BEHIND, M_EVENTS, M_MOVES, M_PROBES, M_OUTPUT, M_TRACE, M_DIRTY, M_DIRTY_EPOCH, M_WATCH,
    M_WATCHED,
)  # fmt: skip
_SCRATCH_TABLES = (
    "swap", "probes", "events", "moves", "places", "output", "scratch", "dirty", "dirty_pages",
    "inspected", "trace", "traced", "shapes", "shape_code", "shape_slots",
    "fwcfg",  # follows from the setup
)  # fmt: skip
_KEPT_OTHERWISE = ("env", "ram", "lines")  # registers.py, pages.py
KEPT_TABLES = tuple(
    name for name, _, _ in TABLES if name not in _SCRATCH_TABLES and name not in _KEPT_OTHERWISE
)
# of tables that are not always full
ROWS_IN_USE = {"history": M_HISTORY, "wait": M_WAIT_COUNT, "delayed": M_DELAYED}


Words: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]
Seeds: TypeAlias = NDArray[np.uint64]
"""Arguments of native functions that are arrays: numbers, memory, generators."""


@dataclass(frozen=True, eq=False)
class State:
    """Arrays of one machine: scalars, cores, memory, text, devices, events."""

    m: NDArray[np.int64]  # [M_SIZE]
    core: NDArray[np.int64]  # [MAX_CORES, C_SIZE]
    env: NDArray[np.uint8]  # [MAX_CORES, ENV_SIZE] register files of the cores not in the engine
    apic: NDArray[np.int64]  # [MAX_CORES, A_SIZE]
    ram: NDArray[np.uint8]  # [bytes]
    lines: NDArray[np.uint8]  # [bytes / LINE] flags
    history: NDArray[np.int64]  # [MAX_HISTORY, H_SIZE], oldest first
    swap: NDArray[np.int64]  # [32, 2] physical address and true byte
    wait: NDArray[np.int64]  # [MAX_CORES + 1, 2] physical address and awaited value of a u32
    probes: NDArray[np.int64]  # [MAX_PROBES, P_SIZE], by ascending physical address
    events: NDArray[np.int64]  # [MAX_EVENTS, E_SIZE]
    moves: NDArray[np.uint8]  # [MAX_MOVES, MOVE_BYTES]
    places: NDArray[np.int64]  # [MAX_MOVES] linear RIP of the move's core before it
    output: NDArray[np.uint8]  # [MAX_OUTPUT]
    scratch: NDArray[np.int64]  # [64]
    delayed: NDArray[np.int64]  # [MAX_DELAYED, D_SIZE], in the order in which they were held back
    fwcfg: NDArray[np.uint8]  # [FWCFG_SIZE] as `fw_cfg_items.table` makes it; never changes
    msr: NDArray[np.int64]  # [MAX_CORES, MSR_SIZE]
    pic: NDArray[np.int64]  # [2, PIC_SIZE] master and slave
    pit: NDArray[np.int64]  # [3, PIT_SIZE] channels
    rtc: NDArray[np.int64]  # [RTC_SIZE]
    uart: NDArray[np.int64]  # [UART_SIZE]
    ioapic: NDArray[np.int64]  # [IOAPIC_SIZE]
    board: NDArray[np.int64]  # [BOARD_SIZE] the devices of a few bits
    input: NDArray[np.uint8]  # [MAX_INPUT] a ring
    trace: NDArray[np.int64]  # [8]
    traced: NDArray[np.int64]  # [MAX_TRACED]
    shapes: NDArray[np.int64]  # [MAX_SHAPES, S_SIZE]
    shape_code: NDArray[np.uint8]  # [MAX_SHAPE_CODE]
    shape_slots: NDArray[np.int64]  # [SHAPE_SLOTS] 1 + number of a shape, or 0
    dirty: NDArray[np.uint8]  # [pages] flags of `dirty`
    dirty_pages: NDArray[np.int64]  # [pages] the numbers of those that have any, as they came
    image_text: NDArray[np.int64]  # [MAX_IMAGE_TEXT, 2] physical start and end of the image's code
    inspected: NDArray[np.uint8]  # [bytes] so many from here on are known as `emulated_lines` says

    @property
    def address(self) -> int:
        """Where native code finds the scalars, and through them everything else."""
        return int(self.m.ctypes.data)


def allocate(cores: int, ram: NDArray[np.uint8]) -> State:
    """Return the state of a machine that was just switched on, with `ram` as its memory."""
    rows = {
        "history": MAX_HISTORY,
        "swap": 32,
        "wait": MAX_CORES + 1,
        "probes": MAX_PROBES,
        "events": MAX_EVENTS,
        "moves": MAX_MOVES,
        "places": MAX_MOVES,
        "output": MAX_OUTPUT,
        "lines": ram.size // LINE,
        "scratch": 64,
        "delayed": MAX_DELAYED,
        "fwcfg": FWCFG_SIZE,
        "pic": 2,
        "pit": 3,
        "rtc": RTC_SIZE,
        "uart": UART_SIZE,
        "ioapic": IOAPIC_SIZE,
        "board": BOARD_SIZE,
        "input": MAX_INPUT,
        "trace": 8,
        "traced": MAX_TRACED,
        "shapes": MAX_SHAPES,
        "shape_code": MAX_SHAPE_CODE,
        "shape_slots": SHAPE_SLOTS,
        "dirty": ram.size // PAGE,
        "dirty_pages": ram.size // PAGE,
        "inspected": ram.size,
        "image_text": MAX_IMAGE_TEXT,
    }
    tables = {}
    for name, bits, columns in TABLES:
        shape = (rows.get(name, MAX_CORES), columns) if columns else (rows.get(name, 0),)
        tables[name] = np.zeros(shape, np.int64 if bits == 64 else np.uint8)
    tables["ram"] = ram
    state = State(m=np.zeros(M_SIZE, np.int64), **tables)
    for slot, (name, _, _) in enumerate(TABLES):
        state.m[M_TABLES + slot] = tables[name].ctypes.data
    state.m[M_RAM], state.m[M_RAM_SIZE] = ram.ctypes.data, ram.size
    state.m[M_ENV_ROWS], state.m[M_SCRATCH] = state.env.ctypes.data, state.scratch.ctypes.data
    state.m[M_CORES], state.m[M_CURRENT] = cores, -1
    state.m[M_EXIT] = state.m[M_WATCH] = state.m[M_PICK] = -1
    state.core[:, C_SIPI] = -1
    state.m[M_DELAYED_UNTIL] = FOREVER
    return state
