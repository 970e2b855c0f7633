import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.errors import BadImage
from emu.image import deb, tar_stream
from tests.image.linux_builder import FORMATS, ar, pack, tar
from tests.image.linux_builder import deb as build

KERNEL = bytes(range(256)) * 5
LIMIT = 1 << 20


@pytest.mark.parametrize("form", [*(each for each in FORMATS if each != "lz4"), None])
def test_the_kernel_is_found_however_the_package_is_compressed(form: str | None) -> None:
    assert deb.kernel("k.deb", build(KERNEL, form), LIMIT) == KERNEL


@pytest.mark.parametrize("name", ["boot/vmlinuz-6.1", "./boot/vmlinuz-6.1", "/boot/vmlinuz-6.1"])
def test_names_begin_at_the_root(name: str) -> None:
    assert deb.kernel("k.deb", build(KERNEL, "gzip", name=name), LIMIT) == KERNEL


@pytest.mark.parametrize("name", ["./vmlinuz-6.1", "./lib/boot/vmlinuz-6.1", "../boot/vmlinuz-6.1"])
def test_a_package_without_a_kernel_says_which_to_take(name: str) -> None:
    with pytest.raises(BadImage, match=r"^k\.deb: the package has no boot/vmlinuz-\*: take"):
        deb.kernel("k.deb", build(KERNEL, "gzip", name=name), LIMIT)


def test_only_what_is_needed_is_unpacked() -> None:
    whole = tar({"./boot/vmlinuz-6": KERNEL})[:-1024] + b"no tar archive" * 100
    assert deb.kernel("k.deb", ar({"data.tar": whole}), LIMIT) == KERNEL


def test_a_directory_is_no_kernel() -> None:
    archive = tar({}, folders=("./boot/vmlinuz-6",))
    with pytest.raises(BadImage, match="has no boot"):
        deb.kernel("k.deb", ar({"data.tar": archive}), LIMIT)


def test_long_names_before_it_do_no_harm() -> None:
    files = {"./boot/" + "x" * 300: b"long", "./boot/vmlinuz-6": KERNEL}
    assert deb.kernel("k.deb", ar({"data.tar": tar(files)}), LIMIT) == KERNEL


def test_a_kernel_may_not_be_larger_than_the_bound() -> None:
    assert deb.kernel("k.deb", build(KERNEL), len(KERNEL)) == KERNEL
    with pytest.raises(BadImage, match="has 1280 bytes"):
        deb.kernel("k.deb", build(KERNEL), len(KERNEL) - 1)


def test_a_package_that_is_cut_says_so() -> None:
    whole = build(KERNEL)
    with pytest.raises(BadImage, match=rf"it has {len(whole) - 9} of {len(whole)} bytes: fetch"):
        deb.kernel("k.deb", whole[:-9], LIMIT)


def test_an_archive_that_is_cut_says_so() -> None:
    archive = tar({"./boot/vmlinuz-6": KERNEL})
    at = archive.index(b"./boot/vmlinuz-6")
    with pytest.raises(BadImage, match="the archive is cut"):
        deb.kernel("k.deb", ar({"data.tar": archive[: at + 600]}), LIMIT)


def test_an_archive_with_a_wrong_sum_is_refused() -> None:
    archive = bytearray(tar({"./boot/vmlinuz-6": KERNEL}))
    archive[archive.index(b"vmlinuz")] ^= 1
    with pytest.raises(BadImage, match="no tar archive, or a damaged one"):
        deb.kernel("k.deb", ar({"data.tar": bytes(archive)}), LIMIT)


@pytest.mark.parametrize("size", [b"-5        ", b"+5        ", b"0x5       ", b"          "])
def test_a_size_that_is_no_number_is_refused(size: bytes) -> None:
    whole = bytearray(build(KERNEL))
    whole[8 + 48 : 8 + 58] = size
    with pytest.raises(BadImage, match="no ar archive"):
        deb.kernel("k.deb", bytes(whole), LIMIT)


def test_an_endless_archive_is_left_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = pack(tar({"./boot/config": bytes(5 << 20), "./boot/vmlinuz-6": KERNEL}), "gzip")
    assert deb.kernel("k.deb", ar({"data.tar.gz": packed}), LIMIT) == KERNEL
    monkeypatch.setattr(tar_stream, "MAX_ARCHIVE", 4 << 20)
    with pytest.raises(BadImage, match="unpacks to over 4 MiB"):
        deb.kernel("k.deb", ar({"data.tar.gz": packed}), LIMIT)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_package_is_a_bad_image(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from([*FORMATS[:1], "xz", None]))
    whole = bytearray(build(KERNEL, form))
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadImage):
        deb.kernel("k.deb", bytes(whole[: data.draw(st.integers(0, len(whole)))]), LIMIT)
