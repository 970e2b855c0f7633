"""The code every guest has: assembled from Intel syntax, with constants for addresses.

Keystone does not tell where its labels are, so whatever is jumped to from outside has an
address of its own.
"""

import re
import struct

from keystone import KS_ARCH_X86, KS_MODE_16, KS_MODE_32, KS_MODE_64, Ks

from tests.machine.guest_tables import (
    APIC,
    BOOT,
    BOOT64,
    GDT,
    LOG,
    ONLINE,
    RESUME,
    RETURN,
    STACKS,
    TABLES,
    TEXT,
    TRAMPOLINE,
)


def assemble(code: str, address: int = 0, bits: int = 64) -> bytes:
    """Return the bytes of Intel-syntax assembly.

    All numbers go in hexadecimal: whoever used AT&T syntax before in this process has left
    keystone reading plain ones as such.
    """
    code = re.sub(r"(?<!\w)\d+(?!\w)", lambda number: hex(int(number[0])), code)
    mode = {16: KS_MODE_16, 32: KS_MODE_32, 64: KS_MODE_64}[bits]
    encoding, _ = Ks(KS_ARCH_X86, mode).asm(code, address, as_bytes=True)
    return encoding or b""


HANDLER = f"""
    push rax
    push rbx
    mov eax, 1
    lock xadd qword ptr [{LOG}], rax
    and eax, 127
    shl eax, 6
    lea rbx, [rax + {LOG + 64}]
    mov rax, [rsp + 16]
    mov [rbx], rax
    mov rax, [rsp + 24]
    mov [rbx + 8], rax
    mov rax, [rsp + 32]
    mov [rbx + 16], rax
    mov rax, cr2
    mov [rbx + 24], rax
    mov rax, [rsp + 56]
    mov [rbx + 32], rax
    mov eax, {APIC + 0x20}
    mov eax, [rax]
    shr eax, 24
    mov [rbx + 40], rax
    mov rbx, [rsp + 16]
    cmp rbx, 32
    jae external
    mov rax, [rbx * 8 + {RESUME}]
    cmp rax, {RETURN}
    je out
    jb stop
    mov [rsp + 32], rax
    jmp out
external:
    mov eax, {APIC + 0xB0}
    mov dword ptr [rax], 0
out:
    pop rbx
    pop rax
    add rsp, 16
    iretq
stop:
    cli
    hlt
    jmp stop
"""

_LONG_MODE = f"""
    mov eax, {TABLES}
    mov cr3, eax
    mov eax, 0x6a0
    mov cr4, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x901
    wrmsr
    mov eax, 0x80010033
    mov cr0, eax
"""
_FAR_JUMP = b"\xea" + struct.pack("<IH", BOOT64, 0x08)

ENTER = f"""
    mov ax, 0x10
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov ebx, {APIC + 0x20}
    mov ebx, [rbx]
    shr ebx, 24
    mov rsp, rbx
    inc rsp
    shl rsp, 13
    add rsp, {STACKS}
    lidt [{BOOT + 0x7E0}]
    mov eax, ebx
    shl eax, 4
    add eax, 0x30
    and byte ptr [rax + {GDT + 5}], 0xfd
    ltr ax
    mov eax, {APIC + 0xF0}
    mov dword ptr [rax], 0x1ff
    lock inc qword ptr [{ONLINE}]
    test ebx, ebx
    jnz go
    mov edi, {APIC + 0x310}
    mov esi, {APIC + 0x300}
    mov ecx, 1
next:
    cmp ecx, dword ptr [{ONLINE + 8}]
    jae go
    mov eax, ecx
    shl eax, 24
    mov dword ptr [rdi], eax
    mov dword ptr [rsi], 0x4500
    mov dword ptr [rdi], eax
    mov dword ptr [rsi], {0x4600 | TRAMPOLINE >> 12}
    inc ecx
    jmp next
go:
    mov rdx, rbx
    shl rdx, 12
    add rdx, {TEXT}
    xor eax, eax
    xor ecx, ecx
    xor ebx, ebx
    xor esi, esi
    xor edi, edi
    jmp rdx
"""

REAL_MODE = (
    b"\xfa\x31\xc0\x8e\xd8"  # cli; xor ax, ax; mov ds, ax
     b"\x66\x0f\x01\x16" + struct.pack("<H", TRAMPOLINE + 0x80)  # lgdt
    + b"\x0f\x20\xc0\x0c\x01\x0f\x22\xc0"  # mov eax, cr0; or al, 1; mov cr0, eax
    + b"\x66\xea" + struct.pack("<IH", BOOT + 0x400, 0x18)
)  # fmt: skip


def boot32(address: int) -> bytes:
    return assemble(_LONG_MODE, address, 32) + _FAR_JUMP
