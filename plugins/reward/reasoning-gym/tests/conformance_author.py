"""What the conformance kit can't know: answers that are right and wrong, and tasks to make."""

METADATA = {"source_dataset": "chain_sum", "source_index": 0, "expression": "1 + 5", "num_terms": 2, "num_digits": 1}


def examples(case):
    row = {"answer": "6", "metadata": METADATA}
    return [("1 + 5 =", "It is <answer>6</answer>", "It is <answer>7</answer>", row), ("1 + 5 =", "6", "7", row)]
