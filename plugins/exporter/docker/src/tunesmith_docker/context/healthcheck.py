"""Ends with 0 where the server is up and has its model."""

import json
import sys
import urllib.request
from pathlib import Path

port = json.loads((Path(__file__).resolve().parent / "serve.json").read_text("utf-8"))["port"]
try:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=4) as answer:
        sys.exit(0 if answer.status == 200 else 1)
except OSError as error:
    sys.exit(str(error))
