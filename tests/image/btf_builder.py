"""A .BTF section made of records, as pahole and the kernel write it."""

import struct
from collections.abc import Sequence

from emu.image import btf_section as btf

Member = tuple[str, int, int]
"""Name, type, first bit; with kind_flag, the width of a bitfield is in the upper 8 bits."""


class BtfBuilder:
    """Collects records; each method returns the number of its own.

    Args:
        base: of which this is the module's.
    """

    def __init__(self, base: "BtfBuilder | None" = None) -> None:
        self.base = base
        self.count: int = 0 if base is None else base.count
        self.strings_from: int = 0 if base is None else base.strings_from + len(base.strings)
        self.strings: bytes = b"\0" if base is None else b""
        self.types = b""

    def string(self, text: str) -> int:
        if not text:
            return 0
        data = text.encode() + b"\0"
        if b"\0" + data not in b"\0" + self.strings:
            self.strings += data
        return self.strings_from + (b"\0" + self.strings).index(b"\0" + data)

    def record(
        self,
        kind: int,
        name: str = "",
        value: int = 0,
        *more: int,
        count: int = 0,
        flag: bool = False,
    ) -> int:
        info = kind << 24 | flag << 31 | count
        words = [self.string(name), info, value, *more]
        self.types += struct.pack(f"<{len(words)}I", *(word & 0xFFFFFFFF for word in words))
        self.count += 1
        return self.count

    def integer(
        self, name: str, size: int, encoding: int = 0, bits: int | None = None, first: int = 0
    ) -> int:
        width = 8 * size if bits is None else bits
        return self.record(btf.KIND_INT, name, size, encoding << 24 | first << 16 | width)

    def pointer(self, target: int) -> int:
        return self.record(btf.KIND_PTR, "", target)

    def array(self, element: int, count: int) -> int:
        return self.record(btf.KIND_ARRAY, "", 0, element, 1, count)

    def struct(
        self,
        name: str,
        size: int,
        members: Sequence[Member],
        kind: int = btf.KIND_STRUCT,
        *,
        flag: bool = False,
    ) -> int:
        words = [word for each, of, at in members for word in (self.string(each), of, at)]
        return self.record(kind, name, size, *words, count=len(members), flag=flag)

    def enum(self, name: str, values: dict[str, int], size: int = 4, *, flag: bool = False) -> int:
        words = [word for each, value in values.items() for word in (self.string(each), value)]
        return self.record(btf.KIND_ENUM, name, size, *words, count=len(values), flag=flag)

    def enum64(self, name: str, values: dict[str, int], *, flag: bool = False) -> int:
        words = [
            word
            for each, value in values.items()
            for word in (self.string(each), value, value >> 32)
        ]
        return self.record(btf.KIND_ENUM64, name, 8, *words, count=len(values), flag=flag)

    def function(self, name: str, result: int, parameters: Sequence[tuple[str, int]]) -> int:
        words = [word for each, of in parameters for word in (self.string(each), of)]
        proto = self.record(btf.KIND_FUNC_PROTO, "", result, *words, count=len(parameters))
        return self.record(btf.KIND_FUNC, name, proto, count=1) if name else proto

    def build(self) -> bytes:
        header = struct.pack(
            "<HBB5I", btf.MAGIC, 1, 0, 24, 0, len(self.types), len(self.types), len(self.strings)
        )
        return header + self.types + self.strings
