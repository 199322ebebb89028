"""What the conformance kit can't know: a model in a store. A folder stands in place of each store (`local_store`)."""

import hashlib
import os
from pathlib import Path

from local_store import LocalStore, stand_in

from tunesmith.errors import UserError
from tunesmith_sdk.testing.hub_models import model_files
from tunesmith_sdk.testing.loopback_hub import STRANGERS

SIZE = 3_000_000  # bytes of weights
PAUSE = 0.2  # seconds before a part is given


def _store(case) -> LocalStore:
    for variable in STRANGERS:
        os.environ.pop(variable, None)
    os.environ["TUNESMITH_CACHE"] = str(case.kept / "cache")
    root = Path(case.kept) / "store"
    if not (root / "bucket").exists():
        new = root / f"new-{os.getpid()}"  # renamed once it is whole: its process may be killed meanwhile
        folder = new / "small"
        folder.mkdir(parents=True)
        files = model_files(SIZE)
        sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
        for name, data in (files | {"SHA256SUMS": sums.encode()}).items():
            (folder / name).write_bytes(data)
            os.utime(folder / name, (1_700_000_000, 1_700_000_000))
        new.rename(root / "bucket")
    made = LocalStore(root)
    made.pause = PAUSE
    stand_in(made)
    return made


def uri(case) -> str:
    _store(case)
    return f"{case.name}://{'host.example/' if case.name == 'webdav' else ''}bucket/small"


def address(case) -> str:
    """Of rows beside the model."""
    _store(case)
    file = Path(case.kept) / "store/bucket/small/rows.jsonl"
    if not file.exists():
        file.write_text('{"text": "a talk"}\n' * 400_000)
        os.utime(file, (1_700_000_000, 1_700_000_000))
    return f"{case.name}://{'host.example/' if case.name == 'webdav' else ''}bucket/small/rows.jsonl"


def scene(case, setting, step, build):
    """What is asked of the store, and how long is waited when it fails twice."""
    address, waits = uri(case), []
    store, loader = _store(case), build()
    step.wait_cancelled = lambda seconds=None: waits.append(seconds) or False
    store.pause, store.failures = 0.0, 0 if setting in ("part_mib", "endpoint") else 2
    try:
        info = loader.resolve(address, step)
        if setting == "part_mib":
            loader.fetch(info, step.output, step)
    except UserError as error:
        return {"error": error.code, "waits": waits}
    return {"revision": info.revision, "spans": sorted(store.spans), "waits": waits}
