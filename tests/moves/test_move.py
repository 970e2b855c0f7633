"""Moves as objects, rows and text: each way there and back, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.errors import BadSchedule
from emu.moves import chooser, fault, move, move_text
from emu.moves.canonical import canonical
from emu.moves.move_text import Scope
from tests.moves.strategies import CORES, PLANS, moves

SCOPE = Scope(CORES, PLANS, "chosen")
COUNTED = Scope(CORES, PLANS, "counted")

# Each kind of move with its row: kind, actor, length, vector, count, ages.
SAMPLES: list[tuple[move.Move, str, tuple[int, int, int, int, int, bytes]]] = [
    (move.Run(3, 1000), "run 3 1000", (1, 3, 0, 0, 1000, b"")),
    (move.Fetch(1, (2, 0, 255)), "fetch 1 2 0 255", (2, 1, 3, 0, 0, b"\2\0\xff")),
    (move.Patch(), "patch", (3, 0, 0, 0, 0, b"")),
    (move.Request(2), "request 2", (4, 0, 0, 0, 2, b"")),
    (move.Tick(1), "tick 1", (5, 1, 0, 0, 0, b"")),
    (move.Deliver(1, 48), "deliver 1 48", (6, 1, 0, 0, 48, b"")),
    (move.Input("uart", b"ls\n"), "input uart 6c730a", (7, 0, 3, 0, 0, b"ls\n")),
    (fault.DropIpi(1, 251), "fault drop-ipi 1 251", (8, 1, 1, 251, 0, b"")),
    (fault.DelayIpi(1, 251, 5000), "fault delay-ipi 1 251 5000", (8, 1, 2, 251, 5000, b"")),
    (fault.FreezeFloor(1), "fault freeze-floor 1", (8, 1, 3, 0, 0, b"")),
]


@pytest.mark.parametrize(("made", "text", "row"), SAMPLES, ids=[text for _, text, _ in SAMPLES])
def test_a_move_has_this_text_and_this_row(
    made: move.Move, text: str, row: tuple[int, int, int, int, int, bytes]
) -> None:
    rows = move.encode([made])
    *numbers, used = row
    found = [int(rows[0][name]) for name in ("kind", "actor", "length", "vector", "count")]
    assert found == numbers
    assert rows[0]["ages"].tobytes() == used.ljust(15, b"\0")
    assert rows.tobytes() == move_text.table([text], SCOPE).tobytes()
    assert move_text.texts(rows) == [text]
    assert move.decode(rows[0]) == made


@given(st.lists(moves))
def test_every_move_comes_back_from_its_row_and_its_text(made: list[move.Move]) -> None:
    rows = move.encode(made)
    assert [move.decode(row) for row in rows] == made
    again = move_text.table(move_text.texts(rows), SCOPE)
    assert again.tobytes() == canonical(rows).tobytes() == rows.tobytes()


@given(moves, st.data())
def test_a_move_has_exactly_one_text(made: move.Move, data: st.DataObject) -> None:
    """Whatever reads as this move is its text: another text is another move, or refused."""
    (text,) = move_text.texts(move.encode([made]))
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(
        st.sampled_from(["", " ", "0", "+", "-", "_", "\n", "A", "a", "\u0661", "00"])
    )
    other = text[:at] + piece + text[at + data.draw(st.integers(0, 1)) :]
    try:
        read = move_text.table([other], SCOPE)
    except BadSchedule:
        return
    assert move_text.texts(read) == [other]


@given(st.lists(moves, min_size=1), st.data())
def test_what_a_recorder_leaves_in_a_row_means_nothing(
    made: list[move.Move], data: st.DataObject
) -> None:
    """Setting a field of a row leaves the same canonical row, or makes another move."""
    rows = move.encode(made)
    name = data.draw(st.sampled_from(["actor", "length", "vector", "count", "padding"]))
    rows[name] = data.draw(st.integers(0, 255))
    rows["ages"][:, 14] = data.draw(st.integers(0, 255))
    try:
        kept = canonical(rows)
    except ValueError:
        return
    assert move.encode([move.decode(row) for row in rows]).tobytes() == kept.tobytes()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tick 4", "there are 4 cores"),
        ("tick", "must be tick CORE"),
        ("tick 1 1", "must be tick CORE"),
        ("deliver 4 48", "there are 4 cores"),
        ("deliver 1 256", "a vector is 0 to 255"),
        ("deliver 1", "must be deliver CORE VECTOR"),
        ("input uart", "must be input DEVICE BYTES"),
        ("input uart ", "must be input DEVICE BYTES"),
        ("input uart 6C", "must be input DEVICE BYTES"),
        ("input uart 6", "must be input DEVICE BYTES"),
        ("input uart " + "00" * 16, "must be input DEVICE BYTES"),
        ("input disk 00", "must be input DEVICE BYTES"),
        ("input 0 00", "must be input DEVICE BYTES"),
        ("fault drop-ipi 4 251", "there are 4 cores"),
        ("fault drop-ipi 1 256", "a vector is 0 to 255"),
        ("fault drop-ipi 1", "must be fault drop-ipi CORE VECTOR"),
        ("fault delay-ipi 1 256 1", "a vector is 0 to 255"),
        ("fault delay-ipi 1 251 0", "there are 1 to 4294967295 instructions"),
        ("fault delay-ipi 1 251 4294967296", "there are 1 to 4294967295 instructions"),
        ("fault delay-ipi 1 251", "must be fault delay-ipi CORE VECTOR COUNT"),
        ("fault freeze-floor 1 251", "must be fault freeze-floor CORE"),
        ("fault freeze-floor 4", "there are 4 cores"),
        ("fault 1", "must begin with run, fetch, patch, request, tick, deliver, input, fault drop"),
        ("Tick 1", "must begin with run"),
        ("", "must begin with run"),
    ],
)  # fmt: skip
def test_another_text_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadSchedule) as caught:
        move_text.table(["patch", text], SCOPE)
    assert str(caught.value).startswith(f"[1] is {text[:60]!r}, but {said}")


@pytest.mark.parametrize("text", ["tick 1", "deliver 1 48"])
def test_timers_and_deliveries_are_moves_only_where_the_clock_is_chosen(text: str) -> None:
    assert len(move_text.table([text], SCOPE)) == 1
    with pytest.raises(BadSchedule, match=r"clock is counted.* only where the clock is chosen"):
        move_text.table([text], COUNTED)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": 0}, "not a move"),
        ({"kind": 9}, "not a move"),
        ({"kind": move.RUN}, "without instructions"),
        ({"kind": move.FETCH}, "without bytes"),
        ({"kind": move.FETCH, "length": 16}, "too many"),
        ({"kind": move.DELIVER, "count": 256}, "vector above 255"),
        ({"kind": move.INPUT}, "without bytes"),
        ({"kind": move.INPUT, "length": 16}, "too many"),
        ({"kind": move.INPUT, "length": 1, "actor": 1}, "no such device"),
        ({"kind": move.FAULT}, "no such fault"),
        ({"kind": move.FAULT, "length": 4}, "no such fault"),
        ({"kind": move.FAULT, "length": fault.DELAY_IPI}, "without instructions"),
    ],
    ids=str,
)
def test_rows_that_are_no_moves_are_refused(fields: dict[str, int], said: str) -> None:
    rows = np.zeros(3, move.ROW)
    rows["kind"] = move.PATCH
    for name, number in fields.items():
        rows[name][1] = number
    with pytest.raises(ValueError, match=said):
        canonical(rows)


def test_faults_are_the_fifth_word_of_a_chooser() -> None:
    assert chooser.random(7, 100, faults=50).native.tolist() == [
        1,
        100,
        -1,
        chooser.EVERYBODY,
        50,
        0,
    ]
    assert chooser.random(7, 100).native[4] == 0
    assert chooser.round_robin(1000).native[4] == 0
