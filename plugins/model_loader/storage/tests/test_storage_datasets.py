"""Rows in stores: a file, a folder, a pattern; whole, and told where there is nothing."""

import pytest

from tunesmith.errors import UserError
from tunesmith_storage import dataset_sources

SOURCES = {"s3": "S3Datasets", "gs": "GSDatasets", "oss": "OSSDatasets", "webdav": "WebDAVDatasets"}
ROWS = {
    "talks/a.jsonl": b'{"text": "a"}\n',
    "talks/b.jsonl": b'{"text": "b"}\n',
    "talks/deep/c.jsonl": b'{"text": "c"}\n',
    "top.jsonl": b"{}\n",
}


@pytest.fixture
def brought(store, tmp_path, local_step):
    for name, data in ROWS.items():
        path = tmp_path / "store/bucket" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def run(kind: str, path: str):
        step, source = local_step(), getattr(dataset_sources, SOURCES[kind])()
        found = source.find(f"{kind}://{'host.example/' if kind == 'webdav' else ''}bucket/{path}", step.work, step)
        source.fetch(found, step.output, step)
        assert {name: (step.output / name).read_bytes() for name in found.files}
        return list(found.rows)

    return run


@pytest.mark.parametrize("path", [("talks/a.jsonl", ["a.jsonl"]), ("talks", ["a.jsonl", "b.jsonl", "deep/c.jsonl"]),
                                  ("talks/*.jsonl", ["a.jsonl", "b.jsonl"]), ("talks/**/*.jsonl", ["a.jsonl", "b.jsonl", "deep/c.jsonl"]),
                                  ("top.jsonl", ["top.jsonl"])])  # fmt: skip
def test_a_file_a_folder_or_a_pattern_is_brought(kind, brought, path):
    assert brought(kind, path[0]) == path[1]


def test_what_is_not_there_is_told(kind, brought):
    for path, code in (("talks/x.jsonl", "TS-DATA-091"), ("nothing/x.jsonl", "TS-MODEL-001"), ("../x.jsonl", "TS-MODEL-003")):
        with pytest.raises(UserError) as caught:
            brought(kind, path)
        assert caught.value.code == code, path
