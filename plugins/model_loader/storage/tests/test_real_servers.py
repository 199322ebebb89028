"""The loaders `s3` and `webdav` with the real libraries against real servers (moto's, WsgiDAV) in an environment of the test's."""

from __future__ import annotations

import json
import os
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from tunesmith_sdk.testing.environments import environment_from

LIBRARIES = (
    "s3fs>=2025.3",
    "moto[server]>=5",
    "webdav4[fsspec]>=0.9.8",
    "wsgidav>=4.3",
    "cheroot>=10",
    "packaging",
    "pluggy",
    "fastjsonschema",
)
CODE = ("tunesmith", "tunesmith_sdk", "tunesmith_hubs", "tunesmith_file", "tunesmith_models", "tunesmith_data", "tunesmith_storage")


@pytest.mark.slow
@pytest.mark.isolated
def test_models_come_from_a_bucket_and_from_a_webdav_server(tmp_path):
    environment = environment_from("tunesmith_storage", LIBRARIES, tmp_path / "environments")
    folders = {str(Path(import_module(package).__file__).parents[1]) for package in CODE}
    script = Path(__file__).with_name("real_servers.py")
    done = subprocess.run([str(environment.python), str(script), str(tmp_path)], capture_output=True, text=True, timeout=300, check=False,
                          env=os.environ | {"PYTHONPATH": os.pathsep.join(folders)})  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "s3": {"right": True, "rows": True, "missing": "TS-MODEL-001", "nowhere": "TS-MODEL-001", "gone": "TS-MODEL-002"},
        "webdav": {"right": True, "rows": True, "denied": "TS-MODEL-006", "missing": "TS-MODEL-001"},
    }
