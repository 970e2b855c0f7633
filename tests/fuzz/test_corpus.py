"""Files that broke a reader once do so no more, and neither do valid ones cut or changed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.readers import READERS


@pytest.mark.parametrize("name", READERS)
def test_the_corpus_breaks_nothing(name: str) -> None:
    corpus = READERS[name].corpus()
    assert corpus
    for path in corpus:
        READERS[name].read(path.read_bytes())


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_changed_files_break_nothing(name: str, data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(READERS[name].seeds())))
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    READERS[name].read(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
