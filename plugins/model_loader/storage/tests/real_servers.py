"""Run in an environment with the real libraries and servers (s3fs and moto, webdav4 and wsgidav): what the loaders make of them, as JSON.

python real_servers.py FOLDER
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from tunesmith.errors import TunesmithError
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.hub_models import model_files
from tunesmith_storage.dataset_sources import S3Datasets, WebDAVDatasets
from tunesmith_storage.loaders import S3Loader, WebDAVLoader
from tunesmith_storage.settings import StorageSettings

SIZE = 3_000_000
FILES = model_files(SIZE)
ROWS = b'{"text": "a talk"}\n' * 1000
WANTED = ("config.json", "tokenizer.json", "model.safetensors")


def load(kind, uri: str, folder: Path) -> dict[str, bytes]:
    step, loader = LocalStep.make(folder), kind(StorageSettings(part_mib=1, backoff=0.01, max_retries=2))
    loader.fetch(loader.resolve(uri, step), step.output, step)
    return {path.name: path.read_bytes() for path in step.output.iterdir()}


def rows(kind, address: str, folder: Path) -> bytes:
    """Of a dataset, all its files of rows in their order."""
    step, source = LocalStep.make(folder), kind()
    found = source.find(address, step.work, step)
    source.fetch(found, step.output, step)
    return b"".join((step.output / name).read_bytes() for name in found.rows)


def code(action) -> str:
    try:
        action()
    except TunesmithError as error:
        return error.code
    return "nothing was refused"


def s3(folder: Path) -> dict[str, object]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    os.environ.update(AWS_ENDPOINT_URL="http://{}:{}".format(*server.get_host_and_port()), AWS_ACCESS_KEY_ID="one",
                      AWS_SECRET_ACCESS_KEY="two", AWS_DEFAULT_REGION="us-east-1")  # fmt: skip
    import s3fs

    store = s3fs.S3FileSystem(endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    store.mkdir("bucket")
    for name, data in FILES.items():
        store.pipe_file(f"bucket/models/small/{name}", data)
    for name in ("one", "two"):
        store.pipe_file(f"bucket/rows/{name}.jsonl", ROWS)
    read = rows(S3Datasets, "s3://bucket/rows/*.jsonl", folder / "s3-rows")
    found = load(S3Loader, "s3://bucket/models/small", folder / "s3")
    missing = code(lambda: load(S3Loader, "s3://bucket/other", folder / "s3-missing"))
    nowhere = code(lambda: load(S3Loader, "s3://no-such-bucket/other", folder / "s3-nowhere"))
    server.stop()
    gone = code(lambda: load(S3Loader, "s3://bucket/unknown", folder / "s3-gone"))
    right = {"right": found == {name: FILES[name] for name in WANTED}, "rows": read == ROWS * 2}
    return right | {"missing": missing, "nowhere": nowhere, "gone": gone}


def webdav(folder: Path) -> dict[str, object]:
    from cheroot import wsgi
    from wsgidav.wsgidav_app import WsgiDAVApp

    place = folder / "served/models/small"
    place.mkdir(parents=True)
    for name, data in FILES.items():
        (place / name).write_bytes(data)
    (place / "train.jsonl").write_bytes(ROWS)
    users = {"*": {"someone": {"password": "secret"}}}
    told = {"provider_mapping": {"/": str(folder / "served")}, "simple_dc": {"user_mapping": users}, "verbose": 0,
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False}}  # fmt: skip
    server = wsgi.Server(("127.0.0.1", 0), WsgiDAVApp(told))
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    uri = f"webdav://127.0.0.1:{server.bind_addr[1]}/models/small"
    denied = code(lambda: load(WebDAVLoader, uri, folder / "dav-denied"))
    os.environ.update(WEBDAV_USERNAME="someone", WEBDAV_PASSWORD="secret")
    found = load(WebDAVLoader, uri, folder / "dav")
    read = rows(WebDAVDatasets, uri + "/train.jsonl", folder / "dav-rows")
    missing = code(lambda: load(WebDAVLoader, uri + "-not-there", folder / "dav-missing"))
    server.stop()  # its workers would keep the process from ending
    right = {"right": found == {name: FILES[name] for name in WANTED}, "rows": read == ROWS}
    return right | {"denied": denied, "missing": missing}


if __name__ == "__main__":
    root = Path(sys.argv[1])
    os.environ["TUNESMITH_CACHE"] = str(root / "cache-s3")
    said: dict[str, object] = {"s3": s3(root)}
    os.environ["TUNESMITH_CACHE"] = str(root / "cache-webdav")
    print(json.dumps(said | {"webdav": webdav(root)}))
