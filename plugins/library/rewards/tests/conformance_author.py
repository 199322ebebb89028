"""What the conformance kit can't know: completions of which one is better, for each reward."""

_ASKED = "What is 6 times 7?"
_EXAMPLES = {
    "exact": [("42", "43", {"answer": 42}), ("Forty Two", "four", {"answer": "forty  two"}), ("is 42", "42 is", {"answer": "IS 42"})],
    "code": [
        ("```python\nprint(42)\n```", "print(43)", {"tests": [{"input": "", "output": "42"}]}),
        ("import time\ntime.sleep(1.1)\nprint(42)", "print(43)", {"tests": [{"input": "", "output": "42"}]}),
        ("room = bytearray(100 << 20)\nprint(42)", "print(43)", {"tests": [{"input": "", "output": "42"}]}),
        ("answer = 42", "answer = 43", {"tests": ["assert answer > 41", "assert answer == 42"]}),
    ],
    "regex": [("It is 42.", "It is not known.", {}), ("42", "4", {})],
    "format": [
        ("<think>6 times 7</think><answer>42</answer>", "42", {}),
        ("<think>6 times 7</think><answer>42</answer>", "<think>6 times 7</think>", {}),
        ("<think>6 times 7</think>", "So: <think>6 times 7</think> <answer>42</answer>", {}),
    ],
    "length": [("It is forty two.", "It is, as far as I can tell you, forty two.", {}), ("It is", "", {})],
}


def examples(case):
    return [(_ASKED, better, worse, row) for better, worse, row in _EXAMPLES[case.name]]
