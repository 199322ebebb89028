"""A row schema is enforced as JSON Schema says, or refused: nothing in it is passed over."""

import pytest

from tunesmith.errors import UserError
from tunesmith_data.api import RowSchema


def schema(**properties):
    return {"type": "object", "required": ["a"], "properties": properties}


@pytest.mark.parametrize(("entry", "good", "bad"), [
    ({"type": ["string", "null"]}, None, 3),
    ({"maxLength": 2}, "ab", "abc"),
    ({"oneOf": [{"type": "string"}, {"minimum": 2}]}, 3, "x"),
    ({"allOf": [{"type": "string"}, {"minLength": 2}]}, "ab", "a"),
    ({"not": {"type": "null"}}, 1, None),
    ({"contains": {"const": 1}}, [0, 1], [0]),
    ({"uniqueItems": True}, [1, 2], [1, 1]),
    ({"multipleOf": 2}, 4, 5),
    ({"patternProperties": {"^x": {"type": "string"}}}, {"x1": "s"}, {"x1": 1}),
    ({"items": [{"type": "string"}, {"type": "integer"}]}, ["s", 1], ["s", "s"]),
    ({"if": {"type": "string"}, "then": {"minLength": 2}}, "ab", "a"),
    (True, 1, None),
])  # fmt: skip
def test_what_a_schema_says_is_enforced(entry, good, bad):
    found = RowSchema(schema(a=entry))
    assert list(found.problems({"a": good})) == []
    if entry is not True:
        ((place, sentence), *_) = found.problems({"a": bad})
        assert place.startswith("a")
        assert sentence
    assert list(found.problems({}))


def test_what_it_refers_to_is_enforced():
    turn = {"type": "object", "required": ["role"], "properties": {"role": {"type": "string"}}}
    found = RowSchema({**schema(a={"type": "array", "items": {"$ref": "#/definitions/turn"}}), "definitions": {"turn": turn}})
    assert list(found.problems({"a": [{"role": "user"}]})) == []
    assert list(found.problems({"a": [{"role": "user"}, {}]})) == [("a[1].role", "is missing")]
    assert found.unread({"a": [{"role": "user", "mood": "calm"}], "id": 3}) == {"a[].mood", "id"}


def test_what_a_format_only_looks_at_is_not_read():
    found = RowSchema(schema(a={"type": "string"}, verdict={"deprecated": True}))
    assert found.unread({"a": "b", "verdict": "good"}) == {"verdict"}
    assert found.fits({"a": "b", "verdict": ["anything"]})


def test_what_a_format_keeps_of_other_columns_is_read_and_no_text_of_the_row():
    found = RowSchema({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True})
    assert found.unread({"a": "b", "id": 3}) == set()
    assert found.characters({"a": "b", "answer": "a long one"}) == 1


def test_a_schema_that_refers_to_itself_is_enforced_at_every_depth():
    tree = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "more": {"$ref": "#"}}}
    found = RowSchema(tree)
    assert list(found.problems({"a": "x", "more": {"a": "y", "more": {"a": "z"}}})) == []
    assert list(found.problems({"a": "x", "more": {"a": "y", "more": {}}}))


@pytest.mark.parametrize(("entry", "words"), [
    ({"prefixItems": []}, "`prefixItems`, which is not enforced"),
    ({"dependentRequired": {}}, "`dependentRequired`"),
    ({"format": "date"}, "the format 'date', which is not checked"),
    ({"$ref": "https://example.org/schema.json"}, "not within it"),
    ({"$ref": "#/definitions/absent"}, "no JSON Schema"),
    ({"$ref": "#", "minLength": 2}, "`minLength` beside `$ref`"),
    ({"type": "strung"}, "no JSON Schema"),
    ({"type": "array", "items": 3}, "where a schema belongs"),
    ({"anyOf": [{"unevaluatedItems": False}]}, "properties.a.anyOf[0]"),
])  # fmt: skip
def test_what_would_be_passed_over_is_refused(entry, words):
    with pytest.raises(UserError, match="TS-PLUGIN-006") as caught:
        RowSchema(schema(a=entry))
    assert words in caught.value.what


def test_characters_are_those_of_text_that_is_read_not_of_roles_media_and_columns_without_a_place():
    role = {"anyOf": [{"type": "string", "enum": ["user", "assistant"]}, {"type": "null"}]}
    turn = {"type": "object", "properties": {"role": role, "content": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}
    shown = {"anyOf": [{"type": "string"}, {"type": "object"}], "format": "media"}
    schema = RowSchema({"type": "object", "properties": {"turns": {"type": "array", "items": turn}, "image": shown, "more": {}}})
    row = {"turns": [{"role": "user", "content": "abc", "id": "12345"}], "image": {"path": "a.png"}, "more": {"x": ["de"]}, "other": "123"}
    assert schema.characters(row) == 5
    assert RowSchema({}).characters(row) == 3 + 4 + 5 + 5 + 2 + 3
