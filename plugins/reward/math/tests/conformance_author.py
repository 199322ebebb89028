"""What the conformance kit can't know: answers that are right and wrong."""


def examples(case):
    return [
        ("What is a half?", "It is $\\frac{1}{2}$.", "It is $\\frac{1}{3}$.", {"answer": "0.5"}),
        ("Solve x.", "The answer is \\boxed{x+1}", "The answer is \\boxed{y+1}", {"answer": "$x + 1$"}),
        ("What is 2 + 2?", "It is $4$", "It is $4.00004$", {"answer": 4}),
        ("What is 2 + 2?", "It is 4.", "It is 5.", {"answer": 4}),
    ]
