"""What other distributions may import stays as it is: `api.json` beside this file holds it as it was last agreed.

Write it anew after a name was added: run this file. What takes a name away, or calls one otherwise, needs another number,
`tunesmith_data.api.API`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tunesmith_sdk.testing.agreed_api import AgreedApi

MODULES = ("tunesmith_data.api", "tunesmith_data.api.json_text")
AGREED = AgreedApi(Path(__file__).with_name("api.json"), *MODULES)


def test_what_others_build_on_is_there_as_it_was_or_has_another_number():
    assert AGREED.complaint() == "", "python plugins/input_reader/data/tests/test_data_api.py"


def test_importing_it_imports_nothing_else_of_the_distribution_and_no_other_package():
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    code += "print(*(name for name in sys.modules if name.startswith(('tunesmith_', 'fastjsonschema'))))"
    done = subprocess.run([sys.executable, "-c", code, *MODULES], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if not f"{name}.".startswith("tunesmith_data.api.")} == {"tunesmith_data"}


if __name__ == "__main__":
    AGREED.write()
