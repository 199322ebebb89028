"""What the conformance kit can't know: pairs as people write them. The kit's own rows, made of the schema, have nothing to prefer."""

_ROWS = {
    "unpaired": [
        {"prompt": "What is it?", "completion": "A 🙂.", "label": True},
        {"messages": [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "你好"}], "kto_tag": "Undesirable"},
        {"instruction": "What is it?", "input": "It sings.", "output": "A stone.", "label": 0},
    ],
    "unpaired-pairs": [{"prompt": "What is it?", "chosen": "A bird.", "rejected": "A stone."}],
}


def rows(case):
    return _ROWS[case.name]
