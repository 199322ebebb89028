"""What other distributions may import stays as it is: `api.json` beside this file holds it as it was last agreed.

Write it anew after a name was added: run this file. What takes a name away, or calls one otherwise, needs another number,
`tunesmith_torch.api.API`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tunesmith_sdk.testing.agreed_api import AgreedApi

MODULES = ("tunesmith_torch.api", *(f"tunesmith_torch.api.{name}" for name in ("layers", "model", "processes", "text", "training")))
AGREED = AgreedApi(Path(__file__).with_name("api.json"), *MODULES)


def test_what_others_build_on_is_there_as_it_was_or_has_another_number():
    assert AGREED.complaint() == "", "python plugins/engine/torch/tests/test_torch_api.py"


def test_importing_it_loads_neither_torch_nor_transformers():
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    code += "print(*{'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, *MODULES], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


if __name__ == "__main__":
    AGREED.write()
