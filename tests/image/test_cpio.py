import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.image import cpio
from emu.image.cpio import Entry
from emu.image.cursor import Malformed


def test_the_bytes_are_those_of_the_format() -> None:
    archive = cpio.write([cpio.file("a/bc", b"hello", 0o755)])
    head, name, rest = archive[:110], archive[110:115], archive[115:]
    inode, mode, links, size, name_size = b"00000001", b"000081ED", b"00000001", b"5", b"5"
    zero = b"00000000"
    fields = [inode, mode, zero, zero, links, zero, size.zfill(8), *4 * [zero], name_size.zfill(8)]
    assert head == b"070701" + b"".join(fields) + zero
    assert name == b"a/bc\0"
    assert rest[:9] == b"\0hello\0\0\0"
    assert b"TRAILER!!!\0" in rest
    assert len(archive) % 4 == 0


def test_what_was_written_is_read() -> None:
    wanted = [
        cpio.directory("dev"),
        cpio.character_device("dev/console", 5, 1),
        cpio.file("init", b"\x7fELF", 0o755),
        cpio.file("empty", b""),
        Entry("link", stat.S_IFLNK | 0o777, b"init"),
        cpio.file("na\u00efve \udcff", b"odd name"),
    ]
    archive = cpio.write(wanted)
    assert list(cpio.read(archive)) == wanted
    assert stat.S_ISCHR(wanted[1].mode)
    assert wanted[1].device == (5, 1)


def test_an_archive_may_begin_anywhere_and_says_where_it_ends() -> None:
    archive = cpio.write([cpio.file("a", b"12345")])
    reader = cpio.read(bytes(8) + archive + b"behind", 8)
    assert next(reader).data == b"12345"
    with pytest.raises(StopIteration) as end:
        next(reader)
    assert end.value.value == 8 + len(archive)


@pytest.mark.parametrize("name", ["", "x" * 4096, "a\0b"])
def test_a_name_that_is_none_is_not_written(name: str) -> None:
    with pytest.raises(ValueError, match="no entry"):
        cpio.write([cpio.file(name, b"")])
    cpio.write([cpio.file("x" * 4095, b"")])


@given(st.integers(0, 199))
def test_an_archive_that_is_cut_is_malformed(length: int) -> None:
    archive = cpio.write([cpio.file("abc", b"x" * 61)])
    assert len(archive) > 200
    with pytest.raises(Malformed, match="cut"):
        list(cpio.read(archive[:length]))


def with_sum(total: int, mode: int = stat.S_IFREG) -> bytes:
    archive = cpio.write([Entry("a", mode, b"\x01\x02\xff")])
    return b"070702" + archive[6:102] + b"%08X" % total + archive[110:]


def test_the_sum_of_a_file_is_compared() -> None:
    assert [entry.data for entry in cpio.read(with_sum(0x102))] == [b"\x01\x02\xff"]
    assert len(list(cpio.read(with_sum(0, stat.S_IFLNK)))) == 1  # a link has none
    with pytest.raises(Malformed, match="wrong sum"):
        list(cpio.read(with_sum(0x103)))


@pytest.mark.parametrize(
    ("at", "value", "says"),
    [
        (0, b"070707", "at byte 0: make it with cpio -H newc"),
        (54, b"+0000001", "damaged"),
        (54, b"0x000001", "damaged"),
        (54, b"1_000000", "damaged"),
        (54, b"FFFFFFFF", "cut at byte"),
        (94, b"00000000", "a name of 0 bytes"),
        (94, b"00001001", "a name of 4097 bytes"),
        (94, b"00000002", "name without an end"),
    ],
)
def test_a_damaged_entry_is_malformed(at: int, value: bytes, says: str) -> None:
    archive = bytearray(cpio.write([cpio.file("abc", b"12345")]))
    archive[at : at + len(value)] = value
    with pytest.raises(Malformed, match=says):
        list(cpio.read(bytes(archive)))


def test_numbers_may_be_in_small_letters() -> None:
    archive = cpio.write([cpio.file("abc", b"x" * 0xAB)])
    assert [entry.data for entry in cpio.read(archive.replace(b"000000AB", b"000000ab"))] == [
        b"x" * 0xAB
    ]
