"""What the conformance kit can't know: completions of which one is better, for each reward, and answers for each environment."""

import json
import random

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


def episodes(case):
    """Calls of a tool, a right and a wrong number; guesses that come nearer and such that don't."""
    row = {"messages": [{"role": "user", "content": _ASKED}], "answer": 42}
    if case.name == "guess-number":
        right = random.Random(3).randint(1, case.settings["highest"])
        guessed = [str(right % case.settings["highest"] + 1), "none"]
        told = ["8" if right != 8 else "9"]  # the same guess whatever there is to be found, and another reply
        return [(row, 3, [str(right)], guessed), (row, 3, ["0", str(right)], ["0", "0"]), (row, 3, [str(right)], told)]
    call = "<tool_call>" + json.dumps({"name": "calculator", "arguments": {"expression": "6 * 7"}}) + "</tool_call>"
    return [(row, 3, [call, "It is 42."], [call, "It is 43."]), (row, 3, ["42"], ["It is 41.99, nearly."])]
