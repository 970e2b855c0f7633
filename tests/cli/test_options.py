import pytest
import typer

from emu.cli.options import count


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("10_000", 10_000), ("1e6", 10**6), ("2.5E9", 2_500_000_000), ("1e+3", 1000)],
)
def test_counts_as_people_write_them(text: str, number: int) -> None:
    assert count(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "0", "-1", "1.5", "1e-3", "0x10", "1__0", "_1", "1e19", "1e99", "nan", "inf", "\u0661"],
)
def test_what_is_no_count(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        count(text)
