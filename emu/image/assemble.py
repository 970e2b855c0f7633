"""Assembling a replacement: a small file of assembly to bytes at an address.

Intel syntax unless `.att_syntax` says otherwise; labels, numeric labels (`1:`, `1b`, `1f`), `.`
for the own address, and symbols of the kernel. Branches take the shortest form that reaches, so
addresses are settled by repeating until none moves. See `asm_source` for comments, `asm_operand`
for operands, `asm_data` for directives and `asm_encode` for why keystone is watched.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from emu.errors import BadAssembly, closest
from emu.image.asm_data import data
from emu.image.asm_encode import Encoder
from emu.image.asm_operand import Resolve
from emu.image.asm_source import Statement, statements
from emu.image.symbols import Symbols

MAX_BYTES = 4096
"""Bytes of output."""

MAX_SOURCE = 1 << 18
MAX_STATEMENTS = 4096
"""Characters and statements of input."""

_MAX_ROUNDS = 32
_NUMERIC = re.compile(r"(\d+)([bf])")


def assemble(
    text: str, address: int, symbols: Symbols | Mapping[str, int], source_name: str = "patch.s"
) -> bytes:
    """Return the bytes of the assembly in `text`, to lie at `address`.

    Args:
        text: the source.
        address: link address of the first byte.
        symbols: names that are not labels; a mapping gives addresses.
        source_name: for messages.

    Raises:
        BadAssembly: "patch.s:3: ...", with the line; or there is nothing to assemble.
        Unsupported: keystone is not installed.
    """
    found = statements(text) if len(text) <= MAX_SOURCE else ()
    if not any(each.text for each in found):
        what = "nothing to assemble" if len(text) <= MAX_SOURCE else "too long to assemble"
        raise BadAssembly(f"{source_name}:1: {what}")
    if len(found) > MAX_STATEMENTS:
        line = found[MAX_STATEMENTS].line
        raise BadAssembly(f"{source_name}:{line}: over {MAX_STATEMENTS} statements")
    code = _Assembly(found, address, _Names(symbols), source_name).settle()
    if not code:
        raise BadAssembly(f"{source_name}:{found[-1].line}: nothing to assemble")
    return code


class _Names:
    """Addresses of the kernel's symbols."""

    def __init__(self, symbols: Symbols | Mapping[str, int]) -> None:
        self._symbols = symbols

    def find(self, name: str) -> int | None:
        found = self._symbols.get(name)
        return found if found is None or isinstance(found, int) else found.address

    def known(self) -> Iterable[str]:
        if isinstance(self._symbols, Symbols):
            return (symbol.name for symbol in self._symbols)
        return self._symbols


class _Assembly:
    """The statements of one file on their way to bytes."""

    def __init__(
        self, found: tuple[Statement, ...], address: int, names: _Names, source_name: str
    ) -> None:
        self._statements = found
        self._start = address
        self._names = names
        self._source = source_name
        self._encoder = Encoder()
        self._places: list[int] = [address] * len(found)
        self._labels = self._collect()

    def settle(self) -> bytes:
        """Return the bytes once no statement moves any more."""
        for _ in range(_MAX_ROUNDS):
            before = list(self._places)
            code = self._round()
            if self._places == before:
                return code
        raise BadAssembly(f"{self._source}:1: branches and alignment do not settle")

    def _collect(self) -> dict[str, int]:
        """Return the index of the statement of each named label; numeric ones may repeat."""
        found: dict[str, int] = {}
        for index, statement in enumerate(self._statements):
            for label in statement.labels:
                if label in found and not label.isdigit():
                    raise self._bad(statement, f"label {label!r} is already there")
                found[label] = index
        return found

    def _round(self) -> bytes:
        """Assemble everything with the places of the last round, and note the new ones."""
        code, att = bytearray(), False
        for index, statement in enumerate(self._statements):
            at = self._places[index] = self._start + len(code)
            lower = statement.text.lower()
            if lower.startswith((".intel_syntax", ".att_syntax")):
                att = lower.startswith(".att")
            elif statement.text:
                resolve = self._resolver(index)
                try:
                    code += self._bytes(statement.text, at, att, resolve)
                except ValueError as error:
                    raise self._bad(statement, str(error)) from None
                self._refuse_second(statement, at, att, resolve)
            if len(code) > MAX_BYTES:
                raise self._bad(statement, f"over {MAX_BYTES} bytes")
        return bytes(code)

    def _bytes(self, text: str, at: int, att: bool, resolve: Resolve) -> bytes:
        if text.startswith("."):
            return data(text, at, resolve)
        return self._encoder.encode(text, at, att, resolve)

    def _refuse_second(self, statement: Statement, at: int, att: bool, resolve: Resolve) -> None:
        """Refuse `nop; ret`: here `;` begins a comment, in GNU assembly a second instruction."""
        if not statement.after:
            return
        try:
            self._bytes(statement.after, at, att, resolve)
        except ValueError:
            return
        raise self._bad(
            statement,
            f"';' begins a comment, but {statement.after!r} is an instruction: "
            "give it its own line, or write the comment with '#'",
        )

    def _resolver(self, index: int) -> Callable[[str], int]:
        """Return what gives names their addresses in statement `index`."""

        def resolve(name: str) -> int:
            if name == ".":
                return self._places[index]
            if numeric := _NUMERIC.fullmatch(name):
                return self._places[self._numbered(numeric[1], numeric[2], index)]
            if name in self._labels:
                return self._places[self._labels[name]]
            found = self._names.find(name)
            if found is None:
                near = closest(name, [*self._labels, *self._names.known()])
                hint = f": did you mean {' or '.join(near)}?" if near else ""
                raise ValueError(f"no label or symbol {name!r}{hint}")
            return found

        return resolve

    def _numbered(self, label: str, direction: str, index: int) -> int:
        """Return the statement of the nearest label `label`, backward or forward."""
        count = len(self._statements)
        where = range(index, -1, -1) if direction == "b" else range(index + 1, count)
        for each in where:
            if label in self._statements[each].labels:
                return each
        raise ValueError(f"no label {label!r} {'before' if direction == 'b' else 'behind'} it")

    def _bad(self, statement: Statement, message: str) -> BadAssembly:
        return BadAssembly(f"{self._source}:{statement.line}: {message}")
