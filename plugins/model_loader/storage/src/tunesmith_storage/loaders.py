"""Loaders for `s3://`, `gs://`, `oss://`, `webdav://` and `webdavs://` URIs."""

from __future__ import annotations

from typing import ClassVar

from tunesmith_hubs import DownloadSettings, HubLoader
from tunesmith_storage.hub import StorageHub
from tunesmith_storage.settings import StorageSettings


class _StorageLoader(HubLoader[StorageHub]):
    """The revision of a model is a digest over its files: their hashes where the folder tells them, else their versions."""

    kind: ClassVar[str]

    def __init__(self, settings: StorageSettings | None = None) -> None:
        settings = settings or StorageSettings()
        download = DownloadSettings(settings.connections, settings.part_mib, settings.max_retries, settings.backoff)
        super().__init__(StorageHub(self.kind, settings), download)


class S3Loader(_StorageLoader):
    kind = "s3"


class GSLoader(_StorageLoader):
    kind = "gs"


class OSSLoader(_StorageLoader):
    kind = "oss"


class WebDAVLoader(_StorageLoader):
    kind = "webdav"
