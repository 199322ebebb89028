"""Types of a dataclass's fields, also where its annotations say ``int | None`` and the interpreter can't evaluate that (Python 3.9)."""

from __future__ import annotations

import ast
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any

#: What `typing.get_origin` gives for ``Union[X, Y]`` and for ``X | Y``.
UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))
_UNION = "Union[]"  # as a variable: no name that a plugin could have


def type_hints(cls: type) -> Mapping[str, Any]:
    """As `typing.get_type_hints`, under every Python that a worker runs under.

    Raises:
        NameError: for a name that the class's module does not have.
    """
    if sys.version_info >= (3, 10):
        return typing.get_type_hints(cls)
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        names = {**vars(sys.modules[base.__module__]), _UNION: typing.Union}
        for name, hint in vars(base).get("__annotations__", {}).items():
            found[name] = _evaluated(hint, names) if isinstance(hint, str) else hint
    return found


def _evaluated(hint: str, names: dict[str, Any]) -> Any:
    tree = _Unions().visit(ast.parse(hint, mode="eval"))
    return eval(compile(ast.fix_missing_locations(tree), "<annotation>", "eval"), names)


class _Unions(ast.NodeTransformer):
    """``X | Y`` becomes ``Union[X, Y]``, however deep."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.BitOr):
            return node
        return ast.Subscript(ast.Name(_UNION, ast.Load()), ast.Tuple([node.left, node.right], ast.Load()), ast.Load())
