"""A folder in place of each kind of store, with a small model in it."""

from pathlib import Path

import pytest

from tunesmith_sdk.testing.hub_fixtures import alone, module_at
from tunesmith_sdk.testing.hub_models import model_files

local_store = module_at(Path(__file__).with_name("local_store.py"))
FILES = model_files(300_000)
URIS = {"s3": "s3://bucket/small", "gs": "gs://bucket/small", "oss": "oss://bucket/small", "webdav": "webdav://host.example/bucket/small"}


@pytest.fixture
def folder(tmp_path):
    """Of the model, in the bucket."""
    place = tmp_path / "store/bucket/small"
    place.mkdir(parents=True)
    for name, data in FILES.items():
        (place / name).write_bytes(data)
    return place


@pytest.fixture
def store(folder, tmp_path, monkeypatch):
    alone(monkeypatch, tmp_path)
    made = local_store.LocalStore(tmp_path / "store")
    with local_store.standing_in(made):
        yield made


@pytest.fixture(params=URIS)
def kind(request):
    return request.param


@pytest.fixture
def load(store, local_step):
    """``load(kind)``: (what was resolved, the files that were fetched, the step)."""

    def run(kind: str, uri: str = "", between=lambda: None, **settings):
        step, loading = local_step(), loader(kind, **settings)
        info = loading.resolve(uri or URIS[kind], step)
        between()
        loading.fetch(info, step.output, step)
        return info, {p.relative_to(step.output).as_posix(): p.read_bytes() for p in step.output.rglob("*") if p.is_file()}, step

    return run


def loader(kind: str, **settings):
    from tunesmith_storage import loaders
    from tunesmith_storage.settings import StorageSettings

    names = {"s3": "S3Loader", "gs": "GSLoader", "oss": "OSSLoader", "webdav": "WebDAVLoader"}
    return getattr(loaders, names[kind])(StorageSettings(**({"part_mib": 1, "backoff": 0.01} | settings)))


@pytest.fixture(name="loader")
def _loader(store):
    return loader
