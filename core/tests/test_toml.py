from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith import toml
from tunesmith_sdk.manifest import toml_text

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just("$json"), inner, max_size=4),
    max_leaves=40,
)


def back(text: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.toml")
        path.write_text(text, encoding="utf-8", newline="")
        return toml.read(path)


@given(st.dictionaries(st.text(), values, max_size=5))
def test_whatever_json_can_say_comes_back_from_toml(data: dict):
    assert back(toml_text.dumps(data)) == data


@given(st.dictionaries(st.text(min_size=1), st.dictionaries(st.text(), st.text(max_size=200)), min_size=1))
def test_the_order_of_entries_of_one_sort_is_kept(data: dict):
    def order(table: dict) -> list:
        return [(key, list(value)) for key, value in table.items()]

    full = {key: value for key, value in data.items() if value}
    assert order(back(toml_text.dumps({"top": full}))["top"]) == order(full)


def test_it_is_written_for_people():
    text = toml_text.dumps({"name": "x", "kinds": [{"a": 1, "b": None}], "table": {f"k{n}": "word " * 5 for n in range(6)}})
    assert text == (
        'name = "x"\n\n[[kinds]]\na = 1\nb = { "$json" = "null" }\n\n[table]\n'
        + "\n".join(f'k{n} = "{"word " * 5}"' for n in range(6))
        + "\n"
    )


@pytest.mark.parametrize("text", [b"a = ", b"\xff\xfe", b"a = 1\na = 2", b"[a]\n[a]", b"a = " + b"[" * 5000, b"x = { '$json' = 'nul' }"])
def test_what_is_no_toml_is_a_value_error_and_nothing_worse(text: bytes, tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_bytes(text)
    with pytest.raises(ValueError):  # noqa: PT011
        toml.read(path)
