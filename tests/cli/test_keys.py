import pytest

from emu.cli.keys import Command, Keys


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ([b"ls\r"], [b"ls\r"]),
        ([b"\x01x"], [Command.LEAVE]),
        ([b"\x01X"], [Command.LEAVE]),
        ([b"\x01", b"h"], [Command.HELP]),
        ([b"a\x01sb"], [b"a", Command.SNAPSHOT, b"b"]),
        ([b"\x01\x01x"], [b"\x01x"]),
        ([b"a\x01", b"\x01", b"\x01x"], [b"a", b"\x01", Command.LEAVE]),
        ([b"a\x01qb"], [b"ab"]),
        ([b"\x03\x04\x1a\x1c\x00\xff"], [b"\x03\x04\x1a\x1c\x00\xff"]),
        ([b""], []),
    ],
)
def test_what_is_typed(typed: list[bytes], found: list[bytes | Command]) -> None:
    keys = Keys()
    assert [each for part in typed for each in keys.read(part)] == found
