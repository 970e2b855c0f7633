import pytest

from emu.errors import BadSymbol, ValidationError
from emu.helpers.chain import chain_for_each, llist_for_each, validate_chain_for_each
from emu.helpers.hlist import (
    hlist_empty,
    hlist_for_each,
    hlist_for_each_entry,
    validate_hlist_for_each,
    validate_hlist_for_each_entry,
)
from emu.image.elf import ElfImage
from emu.image.objects import Object
from tests.helpers.lists import BASE, Memory, hash_head, hash_node, numbers, objects

HEAD, A, B = BASE, BASE + 0x100, BASE + 0x200


@pytest.fixture
def head(layout: ElfImage, memory: Memory) -> Object:
    memory.put(HEAD, A)
    memory.put(A, B, HEAD)
    memory.put(B, 0, A)
    return objects(layout.types, memory).at(hash_head(hash_node()), HEAD)


def test_a_hash_list_ends_with_null(head: Object, memory: Memory) -> None:
    assert numbers(hlist_for_each(head)) == [A, B]
    assert numbers(validate_hlist_for_each(head)) == [A, B]
    assert numbers(llist_for_each(head)) == [A, B]
    assert not hlist_empty(head)
    memory.put(HEAD, 0)
    assert hlist_empty(head)
    assert numbers(validate_hlist_for_each(head)) == []


def test_entries_of_a_hash_list(head: Object) -> None:
    wanted = [A - 24, B - 24]
    assert numbers(hlist_for_each_entry("struct thing", head, "list")) == wanted
    assert numbers(validate_hlist_for_each_entry("struct thing", head, "list")) == wanted


def test_a_pprev_that_does_not_lead_back(head: Object, memory: Memory) -> None:
    memory.put(B + 8, HEAD)
    assert numbers(hlist_for_each(head)) == [A, B]
    with pytest.raises(
        ValidationError, match="pprev is 0x10000, but the pointer to it is at 0x10100"
    ):
        list(validate_hlist_for_each(head))


def test_a_chain_of_any_member(layout: ElfImage, memory: Memory) -> None:
    memory.put(A + 8, B)  # struct list, by prev
    memory.put(B + 8, A)
    first = objects(layout.types, memory).pointer("struct list", A)
    with pytest.raises(ValidationError, match="comes back to <struct list"):
        list(chain_for_each(first, "prev"))
    memory.put(B + 8, 0)
    assert numbers(chain_for_each(first, "prev")) == [A, B]
    with pytest.raises(BadSymbol, match="no member 'nxt'"):
        list(chain_for_each(first, "nxt"))


def test_a_chain_into_nowhere(head: Object, memory: Memory) -> None:
    memory.put(B, 0xDEAD0000)
    first = head.member_("first")
    assert isinstance(first, Object)
    walk = validate_chain_for_each(first)
    assert [int(next(walk)), int(next(walk))] == [A, B]
    with pytest.raises(ValidationError, match="cannot be read"):
        next(walk)
    assert numbers(validate_chain_for_each(first.prog_.cast(first.type_, 0))) == []  # type: ignore[arg-type]
