import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_generation.metrics.answer_normalization import contains, equal, normalise


@pytest.mark.parametrize(("answer", "expected"), [
    ("Paris.", "paris"), ("STRASSE", "stra\u00dfe"), ("The  capital\n", "capital"),
    ("`plugin.toml`", "plugin.toml"), ("\u201cSHA-256\u201d", "sha 256"), ("don't", "dont"),
    ("A", "a."), ("\u22121", "-1"), ("...", "..."), ("trainer_strategy", "trainer strategy"), ("\uff21\uff22", "ab"),
])  # fmt: skip
def test_case_punctuation_articles_and_spaces_do_not_matter(answer, expected):
    assert equal(answer, expected)


@pytest.mark.parametrize(
    ("answer", "expected"), [("3.10", "310"), ("-1", "1"), ("2.0", "20"), ("B", "A"), ("", "A"), ("?", "!"), ("1", "2")]
)
def test_what_differs_differs(answer, expected):
    assert not equal(answer, expected)


def test_containing_is_about_whole_words():
    assert contains("It is Paris, of course.", "paris")
    assert not contains("It is Parisian.", "paris")


@given(st.text(max_size=30))
def test_normalising_twice_is_normalising_once(text):
    once = normalise(text)
    assert normalise(once) == once or not once.isascii()
    assert equal(text, f"  {text} ")
