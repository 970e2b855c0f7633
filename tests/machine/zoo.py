"""A guest in which everything happens that could depend on where a run is cut.

Core 0: periodic timer, interrupt shadow, hlt, port I/O, device memory, rdtsc, cpuid, page
faults, int3, IPIs, code that rewrites itself. Core 1: locks, string instructions, IPIs, hlt.
Core 2: x87 and SSE, interrupts on and off, calls of the code that core 0 rewrites, wrmsr.
"""

from emu.machine.engines import COMPILED
from emu.machine.machine import Machine
from tests.machine.guest_builder import build
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import APIC, DATA, FAR_TEXT, NX, PRESENT, RETURN, WRITABLE

UNMAPPED = 0x700000
FAULT = FAR_TEXT
REWRITTEN = FAR_TEXT + 0x1000 - 3  # over two pages
ALIAS = 0x20000000

_LOAD = "mov rax, [rbx]"

_CORE0 = f"""
    mov r8d, {APIC}
    mov dword ptr [r8 + 0x3e0], 0
    mov dword ptr [r8 + 0x320], 0x20040
    mov dword ptr [r8 + 0x380], 331
    xor r12d, r12d
again:
    inc r12
    sti
    nop
    cli
    mov dx, 0x3f8
    mov al, 0x78
    out dx, al
    add dl, 5
    in al, dx
    add [{DATA}], al
    mov eax, [r8 + 0x390]
    add [{DATA + 8}], rax
    rdtsc
    xor [{DATA + 16}], eax
    mov eax, 1
    cpuid
    xor [{DATA + 24}], ebx
    mov ebx, {UNMAPPED}
    mov eax, {FAULT}
    call rax
    int3
    mov [{ALIAS}], r12b
    mov eax, {REWRITTEN}
    call rax
    add [{DATA + 32}], rax
    mov dword ptr [r8 + 0x300], 0xc4041
    pushfq
    or qword ptr [rsp], 0x100
    popfq
    nop
    pushfq
    and qword ptr [rsp], -0x101
    popfq
    test r12, 3
    jnz again
    sti
    hlt
    jmp again
"""
_CORE1 = f"""
again:
    mov ecx, 67
    mov esi, {DATA + 0x100}
    mov edi, {DATA + 0x203}
    rep movsb
    mov ecx, 9
    mov eax, ecx
    rep stosq
    mov ecx, 300
    mov esi, {DATA}
    mov edi, {DATA + 1}
    repe cmpsb
    add [{DATA + 40}], rcx
    lock inc qword ptr [{DATA + 48}]
    mov eax, 1
    xchg [{DATA + 56}], rax
    lock xadd [{DATA + 48}], rax
    inc r9
    test r9, 3
    jnz again
    sti
    hlt
    jmp again
"""
_CORE2 = f"""
    fninit
    fld1
again:
    fld1
    faddp st(1), st(0)
    fld st(0)
    fsqrt
    fistp qword ptr [{DATA + 64}]
    inc r10
    cvtsi2sd xmm1, r10
    addsd xmm2, xmm1
    sqrtsd xmm3, xmm2
    movsd [{DATA + 72}], xmm3
    sti
    mov eax, {REWRITTEN}
    call rax
    add r11, rax
    cli
    lock dec qword ptr [{DATA + 48}]
    mov ecx, 0xc0000103
    mov eax, r10d
    xor edx, edx
    wrmsr
    jmp again
"""


def zoo(model: str = "sdm", engine: str = COMPILED) -> Machine:
    """Return the machine, every core at its first instruction."""
    pages = {ALIAS: FAR_TEXT + 0x1000 | PRESENT | WRITABLE | NX}
    data = {
        FAULT: assemble(f"{_LOAD}; ret", FAULT),
        REWRITTEN: bytes.fromhex("48c7c011000000c3"),  # mov rax, 0x11; ret
        DATA: bytes(range(256)),
    }
    resume = {14: FAULT + len(assemble(_LOAD)), 3: RETURN, 1: RETURN}
    return build(_CORE0, _CORE1, _CORE2, resume=resume, pages=pages, data=data).machine(
        model, engine=engine
    )
