import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import problems
from tunesmith_data.api import text_of
from tunesmith_multimodal import row_schema
from tunesmith_multimodal.formats import Captions, Speech, Texts, VisualQuestions
from tunesmith_multimodal.grounding import Places
from tunesmith_multimodal.settings import GroundingSettings, PromptSettings
from tunesmith_sdk.testing.hypothesis_strategies import fitting

FORMATS = {
    "vqa": (row_schema.VQA, VisualQuestions), "captioning": (row_schema.CAPTIONING, Captions), "ocr": (row_schema.OCR, Texts),
    "grounding": (row_schema.GROUNDING, Places), "transcription": (row_schema.TRANSCRIPTION, Speech),
}  # fmt: skip
BUS = {"image": "bus.jpg", "phrase": "the bus", "bbox": [12, 40, 220, 180]}


def convert(name, row, *settings):
    schema, make = FORMATS[name]
    assert list(problems(schema, row)) == []
    return make(*settings).convert(row)["messages"]


def said(name, row, *settings):
    """(question, answer)"""
    turns = convert(name, row, *settings)
    return text_of(turns[-2]), text_of(turns[-1])


@pytest.mark.parametrize(("name", "row", "question", "answer"), [
    ("vqa", {"image": "a.png", "question": "What?", "answer": "A cat."}, "What?", "A cat."),
    ("vqa", {"image": "a.png", "question": "What?", "answers": ["dog", "cat", "cat"]}, "What?", "cat"),
    ("vqa", {"image": "a.png", "question": "What?", "answer": None, "answers": [{"answer": "cat", "id": 1}]}, "What?", "cat"),
    ("captioning", {"image": "a.png", "caption": "A cat."}, "Describe the image.", "A cat."),
    ("captioning", {"image": "a.png", "caption": "A cat.", "question": "What is it?"}, "What is it?", "A cat."),
    ("ocr", {"image": "a.png", "text": "No parking"}, "Read the text in the image.", "No parking"),
    ("transcription", {"audio": "a.wav", "text": "Hello."}, "Transcribe the speech.", "Hello."),
])  # fmt: skip
def test_what_is_asked_and_answered(name, row, question, answer):
    assert said(name, row) == (question, answer)


def test_the_picture_comes_before_the_question_and_after_the_system_message():
    turns = convert("vqa", {"image": ["a.png", {"path": "b.png"}], "question": "Same?", "answer": "No.", "system": "Be short."})
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant"]
    assert turns[1]["content"] == [
        {"type": "image", "path": "a.png"},
        {"type": "image", "path": "b.png"},
        {"type": "text", "text": "Same?"},
    ]


def test_a_setting_asks_otherwise():
    assert said("ocr", {"image": "a.png", "text": "x"}, PromptSettings("Lies den Text."))[0] == "Lies den Text."
    assert said("grounding", BUS, GroundingSettings("Find {phrase}."))[0] == "Find the bus."


@pytest.mark.parametrize(("boxes", "answer"), [
    ("pixels", '[{"bbox_2d": [12, 40, 220, 180], "label": "the bus"}]'),
    ("thousandths", '[{"bbox_2d": [19, 83, 344, 375], "label": "the bus"}]'),
    ("tokens", "<|object_ref_start|>the bus<|object_ref_end|><|box_start|>(19,83),(344,375)<|box_end|>"),
])  # fmt: skip
def test_boxes_are_written_as_the_model_writes_them(boxes, answer):
    row = {**BUS, "width": 640, "height": 480}
    assert said("grounding", row, GroundingSettings(boxes=boxes)) == ("Where is the bus? Answer with bounding boxes.", answer)
    as_sizes = {**row, "bbox": [[12, 40, 208, 140]], "bbox_format": "xywh"}
    assert said("grounding", as_sizes, GroundingSettings(boxes=boxes))[1] == answer


@pytest.mark.parametrize(("change", "boxes"), [
    ({"bbox": [220, 40, 12, 180]}, "pixels"), ({"bbox": [1, 2, 3, 4, 5]}, "pixels"), ({"bbox": [-1, 0, 3, 4]}, "pixels"),
    ({}, "thousandths"), ({"width": 200, "height": 480}, "tokens"),
])  # fmt: skip
def test_what_is_no_box_is_refused(change, boxes):
    with pytest.raises(UserError, match="TS-DATA-064"):
        convert("grounding", BUS | change, GroundingSettings(boxes=boxes))


@pytest.mark.parametrize(("name", "row"), [
    ("vqa", {"image": "a.png", "question": "What?"}), ("vqa", {"image": "a.png", "question": "What?", "answers": []}),
    ("captioning", {"image": "a.png", "caption": " \n"}),
])  # fmt: skip
def test_rows_that_would_teach_nothing_are_refused(name, row):
    with pytest.raises(UserError, match="TS-DATA-020"):
        convert(name, row)


@pytest.mark.parametrize("name", FORMATS)
@given(st.data())
def test_any_row_that_fits_converts_or_says_why(name, data):
    schema, make = FORMATS[name]
    row = data.draw(fitting(schema, st.sampled_from(["", " ", "a\n"]) | st.text(max_size=8)))
    if list(problems(schema, row)):
        return
    try:
        json.dumps(make().convert(row))
    except UserError:
        return
