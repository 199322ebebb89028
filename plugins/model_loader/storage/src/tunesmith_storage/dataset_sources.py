"""Datasets for `s3://`, `gs://`, `oss://`, `webdav://` and `webdavs://` addresses: a file, or all files that a pattern fits."""

from __future__ import annotations

import re
from typing import ClassVar

from tunesmith.errors import UserError
from tunesmith_hubs import DownloadSettings, HubAddress, HubDatasets
from tunesmith_storage.hub import StorageHub
from tunesmith_storage.settings import StorageSettings

_ADDRESS = re.compile(r"(?P<scheme>[a-z0-9]+)://(?P<root>[^/\s@?#*\0]+)/(?P<path>[^\0\n]+)")


class _StorageDatasets(HubDatasets[StorageHub]):
    """``s3://BUCKET/FOLDER/*.parquet``; a folder is all files of rows in it."""

    kind: ClassVar[str]

    def __init__(self) -> None:
        settings = StorageSettings()
        download = DownloadSettings(settings.connections, settings.part_mib, settings.max_retries, settings.backoff)
        super().__init__(StorageHub(self.kind, settings), download)

    def parsed(self, address: str) -> tuple[HubAddress, str, str]:
        match = _ADDRESS.fullmatch(address)
        parts = [part for part in match["path"].split("/") if part] if match else []
        if not match or not parts or ".." in parts:
            raise UserError(
                "TS-MODEL-003", f"`{address}` names no rows in a store.", fix=f"Write {self.kind}://BUCKET/FOLDER/FILE, or a pattern."
            )
        if not any(sign in parts[-1] for sign in "*?."):
            parts.append("**/*")  # a folder
        # what is listed is the folder above the first part with a sign of a pattern, or above the file
        folder = next((number for number, part in enumerate(parts) if "*" in part or "?" in part), len(parts) - 1)
        return HubAddress(match["scheme"], "/".join((match["root"], *parts[:folder])), "", "/".join(parts[folder:]), ""), "", ""

    def by_hand(self, at: HubAddress) -> str:
        return "Or fetch the files another way, and name them by their path."


class S3Datasets(_StorageDatasets):
    kind = "s3"


class GSDatasets(_StorageDatasets):
    kind = "gs"


class OSSDatasets(_StorageDatasets):
    kind = "oss"


class WebDAVDatasets(_StorageDatasets):
    kind = "webdav"
