from emu.moves.plan_data import label


def test_a_label_is_printable_and_never_empty() -> None:
    assert label("vfs_read") == "vfs_read"
    assert label("\x1b[2J\n") == "\\x1b[2J\\n"
    assert label("\ud800") == "\\ud800"
    assert label("") == "?"
    assert len(label("\x1b" * 500)) == 200
