"""What commands of plugins are made of stays as it is: `api.json` beside this file holds it as it was last agreed.

Write it anew after a name was added: run this file.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tunesmith_sdk.testing.agreed_api import AgreedApi

AGREED = AgreedApi(Path(__file__).with_name("api.json"), "tunesmith_cli.api")


def test_what_plugins_commands_are_made_of_is_there_as_it_was_or_has_another_number():
    assert AGREED.complaint() == "", "python cli/tests/test_cli_api.py"


def test_importing_it_imports_no_command():
    code = "import sys, tunesmith_cli.api\nprint(*(name for name in sys.modules if name.startswith('tunesmith_cli.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tunesmith_cli.api"]


if __name__ == "__main__":
    AGREED.write()
