"""Assembly source to statements: comments, labels, directives.

One instruction a line. `#`, `//` and `;` begin comments, `/* */` encloses them. In GNU assembly
`;` separates instructions instead, so what follows one after an instruction is kept as `after`:
the assembler refuses the line if it would assemble. Lines are counted from 1.
"""

import re
from dataclasses import dataclass

_LABEL = re.compile(r"\s*([A-Za-z_.][\w.$]*|\d{1,4})\s*:")
_BLOCK_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|/\*.*?(?:\*/|\Z)', re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'.\'|//|[#;]|.')


@dataclass(frozen=True, slots=True)
class Statement:
    """One line's instruction or directive.

    Attributes:
        line: its number, from 1.
        labels: labels before it on the same line.
        text: mnemonic and operands, or directive and arguments; "" if there are only labels.
        after: what a `;` cut off.
    """

    line: int
    labels: tuple[str, ...]
    text: str
    after: str


def statements(source: str) -> tuple[Statement, ...]:
    """Return the statements of a source text, without the empty ones."""
    plain = _BLOCK_COMMENT.sub(_blank, source.replace("\r\n", "\n"))
    found = []
    for number, line in enumerate(plain.split("\n"), 1):
        text, after = _code(line)
        labels = []
        while (match := _LABEL.match(text)) is not None:
            labels.append(match[1])
            text = text[match.end() :]
        if labels or text.strip():
            clean = re.sub(r"\s+", " ", text).strip() if '"' not in text else text.strip()
            found.append(Statement(number, tuple(labels), clean, after))
    return tuple(found)


def _blank(match: re.Match[str]) -> str:
    """Return a string as it is; of a comment keep the line ends, so that lines keep numbers."""
    text = match.group()
    return text if text.startswith('"') else " " + "\n" * text.count("\n")


def _code(line: str) -> tuple[str, str]:
    """Return what precedes the comment on a line, and what follows a `;`."""
    for token in _TOKEN.finditer(line):
        if token.group() in ("#", "//", ";"):
            after = line[token.end() :].strip() if token.group() == ";" else ""
            return line[: token.start()], after
    return line, ""
