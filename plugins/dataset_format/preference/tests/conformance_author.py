"""What the conformance kit can't know: pairs as people write them. The kit's own rows, made of the schema, have nothing to prefer."""


def _chat(*texts):
    return [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]


_PREFERENCE = [
    {"prompt": "What is it?", "chosen": "A 🙂.", "rejected": "你好"},
    {"question": "What is it?", "input": "It sings.", "system": "Be brief.", "chosen": "A bird.", "rejected": "A stone."},
    {"prompt": _chat("What is it?"), "chosen": "A bird.", "rejected": "A stone."},
    {"chosen": _chat("What is it?", "A bird."), "rejected": _chat("What is it?", "A stone.")},
    {"prompt": "What is it?", "chosen": _chat("What is it?", "A bird."), "rejected": _chat("What is it?", "A stone.")},
    {"chosen": "\n\nHuman: What is it?\n\nAssistant: A bird.", "rejected": "\n\nHuman: What is it?\n\nAssistant: A stone."},
    {"prompt": "What is it?", "chosen": "A bird.", "rejected": "A stone.", "score_chosen": 8.5, "score_rejected": 7},
]
_ROWS = {
    "preference": _PREFERENCE,
    "rejected-response": [{"messages": _chat("What is it?", "A bird."), "rejected_response": "A stone."}],
    "preferred-output": [
        {
            "input": {"messages": _chat("What is it?")},
            "preferred_output": _chat("", "A bird.")[1:],
            "non_preferred_output": _chat("", "A stone.")[1:],
        },
    ],
    "scored-answers": [
        {"instruction": "What is it?", "completions": [{"response": "A stone.", "score": 1}, {"response": "A 🙂.", "score": "4.5"}]},
        {"prompt": "What is it?", "responses": ["A stone.", "A bird.", "A plant."], "scores": [1, 3, 2]},
        {"prompt": "What is it?", "answers": [{"answer": "A bird.", "rank": 1}, {"answer": "A stone.", "rank": 2}]},
        {"question": "What is it?", "responses": ["A stone.", "A bird.", "A plant."], "ranking": [2, 1, 2]},
    ],
    "rejected-messages": [{"messages": _chat("What is it?", "A bird."), "rejected_messages": _chat("What is it?", "A stone.")}],
}


def rows(case):
    return _ROWS[case.name]
