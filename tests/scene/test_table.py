"""A table's rows only become more; what was read before stays what it was."""

import numpy as np

from emu.scene.table import Table


def test_a_row_that_is_rewritten_is_seen_from_then_on_and_not_in_views_taken_before() -> None:
    table = Table({"task": np.int64}, limit=128)
    table.append(3, task=np.array([-1, 7, 8]))
    before = table["task"]
    table.rewrite("task", 0, 4)
    table.append(1, task=9)
    assert before.tolist() == [-1, 7, 8]
    assert table["task"].tolist() == [4, 7, 8, 9]


def test_rows_keep_their_numbers_when_older_ones_are_forgotten() -> None:
    table = Table({"task": np.int64}, limit=64)
    for number in range(100):
        table.append(1, task=number)
    assert table.first > 0
    table.rewrite("task", table.first + 1, -5)
    assert table["task"][:3].tolist() == [table.first, -5, table.first + 2]
