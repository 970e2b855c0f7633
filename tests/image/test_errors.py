from emu.errors import MAX_MESSAGE, BadImage, BadSymbol, GuestDied, TextpokeError, closest


def test_a_message_is_one_printable_line() -> None:
    message = str(BadImage("name\n\x1b[31mred\x9b\r and ü"))
    assert message == "name\\n\\x1b[31mred\\x9b\\r and ü"


def test_a_message_is_bounded() -> None:
    assert len(str(TextpokeError("x" * 10_000))) == MAX_MESSAGE


def test_statuses() -> None:
    assert TextpokeError("").status == BadImage("").status == 2
    assert GuestDied("").status == 4


def test_a_name_close_by_is_suggested() -> None:
    error = BadSymbol.unknown("function", "vfs_raed", ["vfs_read", "schedule"], "toy.elf")
    assert str(error) == "no function 'vfs_raed' in toy.elf: did you mean vfs_read?"


def test_without_a_similar_name_there_is_no_suggestion() -> None:
    assert str(BadSymbol.unknown("type", "zzz", ["schedule"])) == "no type 'zzz'"


def test_suggestions_are_the_same_in_any_order() -> None:
    names = ["work_b", "work_a", "work_c", "work_d"]
    assert closest("work_x", names) == closest("work_x", names[::-1])
