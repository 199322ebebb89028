"""Examples of functions on a page, for tests that run them: below a heading with the signature there is one block of Python."""

from __future__ import annotations

import re
from pathlib import Path

_EXAMPLE = re.compile(r"^## `(\w+\(.*?\))`\n.*?```python\n(.*?)```", re.MULTILINE | re.DOTALL)


def examples(page: Path) -> dict[str, str]:
    """Signature -> its example."""
    return dict(_EXAMPLE.findall(page.read_text(encoding="utf-8")))


def example(page: Path, name: str) -> str:
    """That of the function with this name."""
    return next(code for signature, code in examples(page).items() if signature.startswith(f"{name}("))
