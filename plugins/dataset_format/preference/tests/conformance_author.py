"""What the conformance kit can't know: pairs as people write them. The kit's own rows, made of the schema, have nothing to prefer."""


def _chat(*texts):
    return [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]


_PREFERENCE = [
    {"prompt": "What is it?", "chosen": "A 🙂.", "rejected": "你好"},
    {"question": "What is it?", "input": "It sings.", "system": "Be brief.", "chosen": "A bird.", "rejected": "A stone."},
    {"prompt": _chat("What is it?"), "chosen": "A bird.", "rejected": "A stone."},
    {"chosen": _chat("What is it?", "A bird."), "rejected": _chat("What is it?", "A stone.")},
    {"prompt": "What is it?", "chosen": _chat("What is it?", "A bird."), "rejected": _chat("What is it?", "A stone.")},
]
_ROWS = {
    "preference": _PREFERENCE,
    "rejected-response": [{"messages": _chat("What is it?", "A bird."), "rejected_response": "A stone."}],
    "rejected-messages": [{"messages": _chat("What is it?", "A bird."), "rejected_messages": _chat("What is it?", "A stone.")}],
}


def rows(case):
    return _ROWS[case.name]
