import itertools
from collections.abc import Callable, Iterator

import pytest

from emu.errors import BadSymbol, ValidationError
from emu.helpers import list as lists
from emu.image.elf import ElfImage
from emu.image.objects import Object
from emu.lab import Lab, boot
from tests.helpers.lists import BASE, Memory, circle, numbers, objects

HEAD, A, B, C = BASE, BASE + 0x100, BASE + 0x200, BASE + 0x300
LIST = 24  # offset of `list` in struct thing


@pytest.fixture
def head(layout: ElfImage, memory: Memory) -> Object:
    circle(memory, HEAD, A, B, C)
    return objects(layout.types, memory).at("struct list", HEAD)


def test_nodes_come_in_their_order(head: Object) -> None:
    assert numbers(lists.list_for_each(head)) == [A, B, C]
    assert numbers(lists.list_for_each_reverse(head)) == [C, B, A]
    assert numbers(lists.validate_list_for_each(head)) == [A, B, C]
    assert lists.list_count(head) == lists.validate_list_count(head) == 3
    assert not lists.list_empty(head)
    lists.validate_list(head)


def test_a_head_may_be_given_as_a_pointer(head: Object) -> None:
    assert numbers(lists.list_for_each(head.address_of_())) == [A, B, C]


def test_entries_are_the_structures_around_the_nodes(head: Object) -> None:
    entries = list(lists.list_for_each_entry("struct thing", head, "list"))
    assert numbers(entries) == [A - LIST, B - LIST, C - LIST]
    assert entries[0].type_.name == "struct thing *"
    assert numbers(lists.list_for_each_entry_reverse("struct thing", head, "list")) == [
        C - LIST, B - LIST, A - LIST,
    ]  # fmt: skip
    assert numbers(lists.validate_list_for_each_entry("struct thing", head, "list")) == numbers(
        entries
    )
    first = lists.list_first_entry("struct thing", head, "list")
    assert first == A - LIST


def test_an_empty_list(head: Object, memory: Memory) -> None:
    circle(memory, HEAD)
    assert lists.list_empty(head)
    assert lists.validate_list_empty(head)
    assert lists.list_count(head) == 0
    assert lists.list_first_entry("struct thing", head, "list") is None


def test_a_list_that_runs_into_itself_ends_with_an_error(head: Object, memory: Memory) -> None:
    memory.put(C, A)  # never back to the head
    walk = lists.list_for_each(head)
    assert numbers(itertools.islice(walk, 3)) == [A, B, C]
    with pytest.raises(ValidationError, match="comes back to <struct list \\* 0x10100>, not to"):
        next(walk)


def test_a_node_whose_neighbour_does_not_point_back(head: Object, memory: Memory) -> None:
    memory.put(B + 8, C)
    assert lists.list_count(head) == 3  # who follows next alone does not see it
    walk = lists.validate_list_for_each(head)
    assert numbers(itertools.islice(walk, 1)) == [A]
    with pytest.raises(ValidationError, match=r"0x10100>\.next is 0x10200, whose prev is 0x10300"):
        next(walk)


def test_a_head_that_its_last_node_does_not_know(head: Object, memory: Memory) -> None:
    memory.put(HEAD + 8, A)
    with pytest.raises(ValidationError, match=r"0x10300>\.next is 0x10000, whose prev is 0x10100"):
        lists.validate_list(head)
    circle(memory, HEAD)
    memory.put(HEAD + 8, A)
    with pytest.raises(ValidationError):
        lists.validate_list_empty(head)


@pytest.mark.parametrize("walk", [lists.list_for_each, lists.validate_list_for_each])
@pytest.mark.parametrize(
    ("link", "message"), [(0, "NULL"), (0xDEAD0000, "0xdead000[08] is not mapped")]
)
def test_links_that_lead_nowhere(
    head: Object, memory: Memory, walk: Callable[[Object], Iterator[Object]], link: int,
    message: str,
) -> None:  # fmt: skip
    memory.put(B, link)
    with pytest.raises(ValidationError, match=message):
        list(walk(head))


def test_too_many_nodes_are_corrupt(head: Object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MAX_NODES", 2)
    for walk in (lists.list_for_each, lists.validate_list_for_each):
        with pytest.raises(ValidationError):
            list(walk(head))


def test_what_is_no_node_is_named(layout: ElfImage, memory: Memory) -> None:
    thing = objects(layout.types, memory).at("struct pair", BASE)
    with pytest.raises(BadSymbol, match="no node of a list: no member 'next' in struct pair"):
        lists.list_empty(thing)


def test_a_list_in_a_running_kernel_and_a_corrupt_one() -> None:
    """Three tasks are linked by hand through whatever list node a task has; then one is broken."""
    lab: Lab = boot("toy", cores=1)
    lab.run_until_tasks()
    objects = lab.guest.objects
    task = objects.types.struct("task")
    member = next(name for name in task.names() if task.member(name).type.name == "struct list")
    tasks = objects["tasks"]
    assert isinstance(tasks, Object)
    nodes = [element.address_of_(member) for element in tasks[:3] if isinstance(element, Object)]
    for index, node in enumerate(nodes):
        words = nodes[(index + 1) % 3], nodes[index - 1]
        lab.machine.store(
            lab.guest.physical(node), b"".join(word.to_bytes(8, "little") for word in words)
        )
    head = tasks[0].member_(member)  # type: ignore[union-attr] # an Object
    assert isinstance(head, Object)
    found = list(lists.validate_list_for_each_entry("struct task", head, member))
    assert numbers(found) == [tasks[1].address_, tasks[2].address_]
    lab.machine.store(lab.guest.physical(nodes[2]), nodes[1].to_bytes(8, "little"))
    for walk in (lists.list_for_each, lists.validate_list_for_each):
        with pytest.raises(ValidationError, match="corrupt"):
            list(walk(head))
