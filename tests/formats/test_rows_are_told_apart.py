"""Which dataset format a file has is decided from its rows' schemas alone, so no row may fit two equally well."""

from importlib import import_module

import pytest

from tunesmith.contracts.settings import problems

SCHEMAS = {
    name: import_module(f"tunesmith_{name.replace('-', '_')}.rows").ROW
    for name in ("alpaca", "sharegpt", "messages", "prompt-completion", "preference")
}
CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


@pytest.mark.parametrize(("row", "format"), [
    ({"instruction": "Say hi", "input": "", "output": "hi"}, "alpaca"),
    ({"instruction": "Say hi", "output": "hi", "system": None, "history": [["a", "b"]]}, "alpaca"),
    ({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], "id": "1"}, "sharegpt"),
    ({"messages": CHAT}, "messages"),
    ({"messages": CHAT, "tools": None, "source": "web"}, "messages"),
    ({"prompt": "Hi", "completion": "Hello"}, "prompt-completion"),
    ({"prompt": CHAT[:1], "completion": CHAT[1:]}, "prompt-completion"),
    ({"prompt": "Hi", "chosen": "Hello", "rejected": "No"}, "preference"),
    ({"chosen": CHAT, "rejected": CHAT}, "preference"),
    ({"prompt": "Hi", "chosen": CHAT, "rejected": CHAT, "messages": CHAT}, "preference"),
    ({"instruction": "Say hi", "input": "", "chosen": "Hello", "rejected": "No"}, "preference"),
])  # fmt: skip
def test_each_row_fits_one_format_best(row, format):
    fitting = [name for name, schema in SCHEMAS.items() if not list(problems(schema, row))]
    most = max(len(SCHEMAS[name]["required"]) for name in fitting)
    assert [name for name in fitting if len(SCHEMAS[name]["required"]) == most] == [format]
