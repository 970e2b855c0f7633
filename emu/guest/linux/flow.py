"""The flow of one function of the kernel: which calls it makes, and which can follow which.

Compilers move blocks about, so the order of addresses is not that of execution; what can be reached
from where is. Only direct jumps are followed: a function with a jump table has more ways than
these. Bytes are those of the image: what the kernel patches in them later (static calls, sites) is
of no concern here.
"""

import re
from collections.abc import Iterable
from typing import Final

from emu.errors import BadImage
from emu.image.disasm import Instruction, disassemble
from emu.image.elf import ElfImage
from emu.image.symbols import Symbol

MAX_FUNCTION: Final = 1 << 16

_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
_RELATIVE = re.compile(r"dword ptr \[rip ([+-]) (0x[0-9a-f]+|\d+)\], (0x[0-9a-f]+|\d+)")
_THUNK: Final = "__x86_return_thunk"


class Flow:
    """The instructions of a function.

    Raises:
        BadImage: the image does not have its bytes.
    """

    def __init__(self, image: ElfImage, function: Symbol) -> None:
        begin, size = function.address, min(function.size, MAX_FUNCTION)
        self._symbols = image.symbols
        code = image.read_virtual(begin, size)
        self._all = {each.address: each for each in disassemble(code, begin)}
        if not self._all:
            raise BadImage(f"{image.name}: {function.name} has no code")

    def calls(self, names: Iterable[str]) -> tuple[int, ...]:
        """Return the addresses of the calls of functions, ascending."""
        wanted = {symbol.address for symbol in map(self._symbols.get, names) if symbol is not None}
        return tuple(
            address
            for address, each in self._all.items()
            if each.mnemonic == "call" and _target(each) in wanted
        )

    def returns(self) -> tuple[int, ...]:
        """Return the addresses of the instructions by which it returns, ascending."""
        return tuple(address for address, each in self._all.items() if self._is_return(each))

    def following(self, address: int) -> int | None:
        """Return where execution goes on after an instruction that is no jump, past all jumps.

        None if it does not go on within the function.
        """
        at, seen = address + len(self._all[address].bytes), set[int]()
        while at in self._all and self._all[at].mnemonic == "jmp" and at not in seen:
            seen.add(at)
            target = _target(self._all[at])
            if target is None or self._is_return(self._all[at]):
                break
            at = target
        return at if at in self._all and at not in seen else None

    def reachable(self, address: int) -> frozenset[int]:
        """Return what can be executed after an instruction; itself only in a loop."""
        waiting, found = list(self._successors(self._all[address])), set[int]()
        while waiting:
            at = waiting.pop()
            if at in self._all and at not in found:
                found.add(at)
                waiting.extend(self._successors(self._all[at]))
        return frozenset(found)

    def stores(self, variable: int, value: int) -> tuple[int, ...]:
        """Return where a number is stored to a 4-byte variable, by `mov [rip + ...], NUMBER`."""
        found = []
        for address, each in self._all.items():
            match = _RELATIVE.fullmatch(each.op_str)
            if each.mnemonic != "mov" or match is None:
                continue
            sign, distance, number = match.groups()
            away = int(distance, 0) * (1 if sign == "+" else -1)
            if address + len(each.bytes) + away == variable and int(number, 0) == value:
                found.append(address)
        return tuple(found)

    def _successors(self, each: Instruction) -> tuple[int, ...]:
        behind, target = each.address + len(each.bytes), _target(each)
        if each.mnemonic == "jmp":
            return () if target is None or self._is_return(each) else (target,)
        if each.mnemonic in ("ret", "ud2", "int3"):
            return ()
        if each.mnemonic.startswith("j") and target is not None:
            return behind, target
        return (behind,)

    def _is_return(self, each: Instruction) -> bool:
        """Return whether an instruction returns: ret, or what retpolines have in its place."""
        thunk = self._symbols.get(_THUNK)
        to_thunk = thunk is not None and _target(each) == thunk.address
        return each.mnemonic == "ret" or (each.mnemonic == "jmp" and to_thunk)


def _target(each: Instruction) -> int | None:
    """Return where a direct jump or call leads, None of an indirect one."""
    return int(each.op_str, 0) if _NUMBER.fullmatch(each.op_str) else None
