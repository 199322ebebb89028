"""What the conformance kit can't know: JSON that fits a schema and JSON that does not."""

_SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def examples(case):
    row = {"schema": _SCHEMA}
    return [
        ("Who?", '{"name": "Ann"}', '{"name": 3}', row),
        ("Who?", 'Here:\n```json\n{"name": "Ann"}\n```', "Ann", row),
        ("Who?", '{"name": "Ann", "a": 1}', '{"name": 3, "a": 1}', row),
    ]
