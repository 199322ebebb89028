"""DeepSpeed's own reading of its JSON: `python deepspeed_parser.py`, a list of them on stdin; what it understood of each goes to stdout."""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    os.environ["DS_ACCELERATOR"] = "cpu"
    told, sys.stdout = sys.stdout, sys.stderr  # it writes to stdout
    from deepspeed.runtime.config import DeepSpeedConfig

    # For each, by the names of the JSON, with what it fills in.
    found = [DeepSpeedConfig(config).zero_config.model_dump(mode="json", by_alias=True) for config in json.load(sys.stdin)]
    told.write(json.dumps(found))


if __name__ == "__main__":
    main()
