"""The file systems of fsspec, as their users' environment variables configure them. Each library is imported when it is used."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tunesmith.errors import UserError


@dataclass(frozen=True)
class Backend:
    """A kind of store.

    Args:
        library: its module, and `extra`: of this distribution, that brings it.
        made: endpoint and host of the URI -> the file system.
        has_host: whether the URI begins with a host and not with a bucket, so that paths begin after it.
    """

    library: str
    extra: str
    made: Callable[[Any, str, str], Any]
    has_host: bool = False

    def filesystem(self, endpoint: str, host: str) -> Any:
        """
        Raises:
            UserError: TS-MODEL-014 if the library is not installed.
        """
        try:
            module = importlib.import_module(self.library)
        except ImportError as error:
            fix = f"pip install 'tunesmith-storage[{self.extra}]'"
            raise UserError("TS-MODEL-014", f"The library `{self.library}` is not installed here.", why=str(error), fix=fix) from None
        return self.made(module, endpoint, host)


def _first(*variables: str) -> str:
    return next((os.environ[name] for name in variables if os.environ.get(name)), "")


def _s3(module: Any, endpoint: str, host: str) -> Any:
    address = endpoint or _first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    anonymous = os.environ.get("AWS_NO_SIGN_REQUEST", "").lower() in {"1", "true", "yes"}
    return module.S3FileSystem(anon=anonymous, endpoint_url=address or None, skip_instance_cache=True, use_listings_cache=False)


def _gs(module: Any, endpoint: str, host: str) -> Any:
    address = endpoint or _first("STORAGE_EMULATOR_HOST")
    more = {"endpoint_url": address, "token": "anon"} if address else {}
    return module.GCSFileSystem(skip_instance_cache=True, use_listings_cache=False, **more)


def _oss(module: Any, endpoint: str, host: str) -> Any:
    address = endpoint or _first("OSS_ENDPOINT")
    if not address:
        raise UserError("TS-MODEL-002", "It is not said which OSS endpoint has the bucket.",
                        fix="Set OSS_ENDPOINT, for example to https://oss-cn-hangzhou.aliyuncs.com.")  # fmt: skip
    return module.OSSFileSystem(
        endpoint=address, key=_first("OSS_ACCESS_KEY_ID"), secret=_first("OSS_ACCESS_KEY_SECRET"), skip_instance_cache=True
    )  # fmt: skip


def _webdav(module: Any, endpoint: str, host: str) -> Any:
    user = _first("WEBDAV_USERNAME")
    auth = (user, _first("WEBDAV_PASSWORD")) if user else None
    return module.WebdavFileSystem(endpoint or host, auth=auth, skip_instance_cache=True)


BACKENDS = {
    "s3": Backend("s3fs", "s3", _s3),
    "gs": Backend("gcsfs", "gs", _gs),
    "oss": Backend("ossfs", "oss", _oss),
    "webdav": Backend("webdav4.fsspec", "webdav", _webdav, has_host=True),
}
