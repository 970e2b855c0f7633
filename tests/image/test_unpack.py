import contextlib
import random
import struct
import zlib

import lz4.block
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.image.cursor import Malformed
from emu.image.unpack import Unpacked, format_of
from tests.image.linux_builder import FORMATS, pack

MIB = 1 << 20
RANDOM = random.Random(1)  # noqa: S311 -- the same each time
TEXT = b"what a kernel says. " * 9000 + RANDOM.randbytes(16)
NOISE = RANDOM.randbytes(5000)


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_packed_comes_out(form: str) -> None:
    packed = pack(TEXT, form)
    assert format_of(packed) == form
    assert Unpacked(packed).all(len(TEXT)) == TEXT


@pytest.mark.parametrize("form", FORMATS)
def test_it_is_known_where_a_stream_ends(form: str) -> None:
    packed = pack(TEXT, form)
    stream = Unpacked(b"before" + packed + b"\xff\xff\xff\xff behind", 6)
    assert stream.all(MIB) == TEXT
    assert stream.end == 6 + len(packed)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("missing", [1, 5, 1000])
def test_a_stream_that_is_cut_is_malformed(form: str, missing: int) -> None:
    packed = pack(NOISE, form)
    if form == "lzma" and missing == 1:
        missing = 6  # its end mark is not needed to have all bytes
    with pytest.raises(Malformed, match=r"cut|damaged"):
        Unpacked(packed[:-missing]).all(MIB)


@pytest.mark.parametrize("form", FORMATS)
def test_no_more_is_unpacked_than_asked_for(form: str) -> None:
    packed = pack(bytes(8 * MIB), form)
    assert len(packed) < MIB
    with pytest.raises(Malformed, match=f"{form} data unpacks to over 1000 bytes"):
        Unpacked(packed).all(1000)


@pytest.mark.parametrize("form", FORMATS)
def test_a_piece_is_small_however_far_its_bytes_reach(form: str) -> None:
    pieces = [len(piece) for piece in Unpacked(pack(bytes(40 * MIB), form))]
    assert sum(pieces) == 40 * MIB
    assert max(pieces) <= 33 * MIB


def test_blocks_of_lz4_follow_one_another_until_one_is_short() -> None:
    data = bytes(range(256)) * (17 * MIB // 256)
    assert Unpacked(pack(data, "lz4")).all(17 * MIB) == data


def test_a_block_of_lz4_that_claims_too_much_is_not_believed() -> None:
    block = lz4.block.compress(bytes(9 * MIB), store_size=False)
    whole = b"\x02\x21\x4c\x18" + struct.pack("<I", len(block)) + block
    with pytest.raises(Malformed, match="lz4 data is damaged"):
        Unpacked(whole).all(64 * MIB)


def test_a_window_of_gigabytes_is_refused() -> None:
    window_log = 30
    frame = b"\x28\xb5\x2f\xfd" + bytes([0, (window_log - 10) << 3]) + b"\x01\0\0"
    with pytest.raises(Malformed, match="zstd data is damaged"):
        Unpacked(frame).all(MIB)
    assert zstandard.get_frame_parameters(frame).window_size == 1 << window_log


def test_the_sum_at_the_end_is_compared() -> None:
    packed = bytearray(pack(TEXT, "gzip"))
    packed[-5] ^= 1
    with pytest.raises(Malformed, match="gzip data is damaged"):
        Unpacked(bytes(packed)).all(MIB)


@pytest.mark.parametrize(
    ("data", "what"), [(b"\x89LZO\0", "lzo"), (b"plain", "something unknown"), (b"", "unknown")]
)
def test_what_cannot_be_unpacked_is_named(data: bytes, what: str) -> None:
    with pytest.raises(Malformed, match=f"compressed with .*{what}"):
        Unpacked(data)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damage_is_malformed_or_unnoticed(form: str, data: st.DataObject) -> None:
    packed = bytearray(pack(TEXT[:3000], form))
    for _ in range(data.draw(st.integers(1, 6))):
        packed[data.draw(st.integers(8, len(packed) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Malformed):
        Unpacked(bytes(packed)).all(MIB)


def test_raw_deflate_is_not_taken_for_gzip() -> None:
    assert format_of(zlib.compress(TEXT)) is None
