import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_data.api import RowSchema
from tunesmith_data.rows_file import read_file
from tunesmith_plain_text.rows import ROW, PlainText


@given(st.text(min_size=1, max_size=30))
def test_every_character_stays_as_it_is(text):
    assert RowSchema(ROW).fits({"text": text})
    if text.strip():
        assert PlainText().convert({"text": text}) == {"text": text}
    else:
        with pytest.raises(UserError, match="TS-DATA-020"):
            PlainText().convert({"text": text})


def test_a_text_file_is_one_document(tmp_path):
    path = tmp_path / "faust.txt"
    path.write_bytes(b"\xef\xbb\xbf[Night]\r\n\r\nI've studied now\n")
    (line,) = read_file(path)
    assert PlainText().convert(line.row) == {"text": "[Night]\r\n\r\nI've studied now\n"}
