"""Where Unicorn 2.1.4 keeps things: offsets in bytes into its structures.

Only the files named unicorn_* and registers.py use these; `selftest` checks them on the engine at
hand before the first machine is made.

Sources: Unicorn 2.1.4: include/uc_priv.h (uc_struct), qemu/include/hw/core/cpu.h (CPUState),
qemu/include/exec/exec-all.h (TranslationBlock), qemu/target/i386/cpu.h (CPUX86State).
"""

VERSION = "2.1.4"

# --- offsets: uc_struct, CPUState, TranslationBlock -------------------------------------------
UC_TO_CPU = 0x1B8
UC_MEMORY_MAPPING = 0x120  # MemoryRegion *(*)(uc_struct *, physical address)
UC_TCG_CONTEXT = 0x300
UC_JUMP_BUFFER, JUMP_BUFFER_SIZE = 0x7F8, 200  # where cpu_loop_exit goes to; a sigjmp_buf
UC_HOOKS, LIST_SIZE = 0x340, 24  # a struct list for each kind of hook; its head comes first
LIST_ITEM_DATA, HOOK_BEGIN, HOOK_USER_DATA = 8, 24, 48
UC_SIZE_OF_PARTS = 0x568  # int: not 0 while an access is made byte by byte, or in two parts
TCG_CPU = 0xE0  # of TCGContext: not NULL while a block is translated
TCG_CFLAGS = 100  # u32 of TCGContext: cflags of the block that is or was translated last
CPU_TO_ENV_POINTER = 0x128
CPU_TO_ENV = 0x8A50  # the CPUX86State itself, behind the CPUState
CPU_CFLAGS_NEXT_TB = 0x18  # u32; the low 15 bits limit the next block's instructions
CPU_JUMP_CACHE = 0x138  # TranslationBlock *[4096]; only the self-test looks into it
CPU_HALTED, CPU_EXCEPTION = 0x8198, 0x81A0  # u32
CPU_TO_UC, CPU_TO_CLASS = 0x81A8, 0x81B0
CLASS_TLB_FILL = 72  # of CPUClass: bool (*)(CPUState *, address, size, access, mmu, probe, caller)

TLB = -64  # behind CPUX86State: for each of 3 MMU modes a mask (bytes) and the address of entries
TLB_MODE_SIZE, TLB_ENTRY_SHIFT = 16, 6  # bytes of the two; an entry has 64
TLB_WRITE, TLB_CODE, TLB_FRAME = 8, 16, 24  # of an entry: for stores, for fetches; its frame

TB_PC, TB_SIZE, TB_COUNT, TB_CFLAGS = 0, 20, 22, 24
TB_CODE = 32  # address of its code, which begins TB_TO_CODE behind it
TB_PAGES = 72  # physical addresses of its one or two pages, -1 where it has none
TB_TO_CODE, TB_ALIGN = 192, 64
CFLAGS_COUNT = 0x7FFF

# --- offsets: CPUX86State ----------------------------------------------------------------------
REGISTERS, RIP, RFLAGS = 0, 128, 136
RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI = range(0, 64, 8)
CC_DST, CC_SRC, CC_SRC2, CC_OP, DIRECTION = 144, 152, 160, 168, 172
HFLAGS, HFLAGS2 = 176, 180
SEGMENTS, LDT, TR, GDT, IDT = 184, 328, 352, 376, 400
ES, CS, SS, DS, FS, GS = range(184, 328, 24)
SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_FLAGS = 8, 16, 20
CR0, CR2, CR3, CR4 = 424, 440, 448, 456
EFER = 592
CR8 = 488
FPU_TOP, FPU_STATUS, FPU_CONTROL, FPU_TAGS, FPU_STACK = 604, 608, 610, 612, 624
MXCSR, XMM = 816, 824  # XMM: sixteen of 64 bytes, of which QEMU 5 uses the first 16
SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP = 4800, 4808, 4816
STAR, LSTAR, CSTAR, FMASK, KERNEL_GS_BASE = 4824, 4840, 4848, 4856, 4864
TSC_AUX, XCR0, MISC_ENABLE, PAT, PKRU = 4896, 4904, 4920, 5280, 5304
ERROR_CODE, IS_INT, NEXT_RIP, OLD_EXCEPTION = 5384, 5388, 5392, 5496
FEATURES = 5632  # u64 each, by FeatureWord: FEAT_1_ECX is 1, FEAT_8000_0001_EDX is 6
DR0, DR6, DR7 = 5400, 5400 + 48, 5400 + 56

FLAG_TF, FLAG_IF, FLAG_DF, FLAG_RF, FLAG_VM = 1 << 8, 1 << 9, 1 << 10, 1 << 16, 1 << 17
IOPL = 3 << 12  # of RFLAGS
ARITHMETIC_FLAGS = 0x8D5  # CF, PF, AF, ZF, SF, OF: lazily kept in CC_SRC, CC_DST, CC_OP
SHADOW = 1 << 3  # hflags: after sti or mov ss
CS64, CS32 = 1 << 15, 1 << 4  # hflags
LMA = 1 << 10  # of EFER
NMI_MASKED = 1 << 2  # hflags2
CR0_TRANSLATION = 1 << 31 | 1 << 16 | 1  # of CR0: what address translation depends on
CC_OP_EFLAGS = 1
RDRAND, RDTSCP = 1 << 30, 1 << 27

BLOCK_HOOKS = UC_HOOKS + LIST_SIZE * 3
READ_HOOKS, WRITE_HOOKS = UC_HOOKS + LIST_SIZE * 10, UC_HOOKS + LIST_SIZE * 11
