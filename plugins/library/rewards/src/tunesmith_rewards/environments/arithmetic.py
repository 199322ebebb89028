"""Sums as text, computed without Python's `eval`: numbers, + - * / // % and powers, brackets."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

_LONGEST = 200  # characters
_LARGEST = 1e15  # of any number on the way
_BINARY: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.Pow: math.pow,
}  # fmt: skip
_UNARY: dict[type, Callable[[float], float]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


def compute(expression: str) -> str:
    """The result as text, whole numbers without a point.

    Raises:
        ValueError: why it can't be computed.
    """
    if len(expression) > _LONGEST:
        raise ValueError(f"the expression has more than {_LONGEST} characters")
    try:
        value = _value(ast.parse(expression.strip().replace("×", "*").replace("÷", "/").replace("^", "**"), mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError("it is no arithmetic expression") from error
    except (ZeroDivisionError, OverflowError) as error:
        raise ValueError(str(error)) from error
    return str(int(value)) if value == int(value) else f"{value:.10g}"


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        value: float = node.value
    elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        value = _BINARY[type(node.op)](_value(node.left), _value(node.right))
    elif isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        value = _UNARY[type(node.op)](_value(node.operand))
    else:
        raise ValueError("only numbers, + - * / // % ** and brackets can be computed")
    if not abs(value) <= _LARGEST:
        raise ValueError("a number on the way is too large")
    return value
