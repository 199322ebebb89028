"""What other distributions may import stays as it is: `api.json` beside this file holds it as it was last agreed.

Write it anew after a name was added: run this file.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tunesmith_sdk.testing.agreed_api import AgreedApi

AGREED = AgreedApi(Path(__file__).with_name("api.json"), "tunesmith_recommend.api")


def test_what_others_build_on_is_there_as_it_was_or_has_another_number():
    assert AGREED.complaint() == "", "python plugins/verb/recommend/tests/test_recommend_api.py"


def test_importing_it_imports_nothing_else_of_the_distribution():
    code = "import sys, tunesmith_recommend.api\nprint(*(name for name in sys.modules if name.startswith('tunesmith_')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"tunesmith_recommend", "tunesmith_recommend.api"}


if __name__ == "__main__":
    AGREED.write()
