"""Where a distribution's files are: in this interpreter's environment, in the cache, or with the package index."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError, UserError
from tunesmith_file.api import cache_root, file_lock, offline, read_cached_json, write_json
from tunesmith_package import pip
from tunesmith_package.uri import PackageURI
from tunesmith_package.wheel import unpack


@dataclass(frozen=True)
class Distribution:
    """Files of one version of a distribution.

    Args:
        root: directory that `files` are relative to.
        files: path -> ``{"size", "sha256"}``; the hash is missing where nobody has computed it yet.
        wheel: SHA-256 of the wheel, if it came as one.
        ours: whether the files lie in the cache, where nobody edits them.
    """

    version: str
    root: Path
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    wheel: str = ""
    ours: bool = False


def obtain(uri: PackageURI, step: Step) -> Distribution:
    """The distribution: the installed one if its version fits, else the cached one, else the one that pip brings."""
    return installed(uri) or cached(uri, exact=True) or _fetch(uri, step)


def installed(uri: PackageURI) -> Distribution | None:
    """The files that the running interpreter has of it; None if it has not this version."""
    try:
        found = metadata.distribution(uri.name)
    except metadata.PackageNotFoundError:
        return None
    if (uri.version and found.version != uri.version) or not found.files:
        return None
    files = {}
    for path in found.files:
        if ".." in path.parts or path.suffix in {".py", ".pyc"} or path.parts[0].endswith(".dist-info"):
            continue
        located = Path(str(path.locate()))
        if located.is_file():
            files[path.as_posix()] = {"size": located.stat().st_size}
    return Distribution(found.version, Path(str(found.locate_file(""))), files)


def cached(uri: PackageURI, *, exact: bool) -> Distribution | None:
    """What an earlier run unpacked: of this version; the latest to arrive if `exact` is not asked and the URI has no version."""
    home = cache_root() / "packages" / uri.normalized
    if uri.version or exact:
        markers = [home / uri.version / "wheel.json"] if uri.version else []
    else:
        markers = sorted(home.glob("*/wheel.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for marker in markers:
        known = read_cached_json(marker)
        if known:
            return Distribution(known["version"], marker.parent / "files", known["files"], known["sha256"], ours=True)
    return None


def forget(uri: PackageURI) -> bool:
    """Drop a version from the cache; whether it was there."""
    marker = cache_root() / "packages" / uri.normalized / uri.version / "wheel.json"
    known = marker.exists()
    marker.unlink(missing_ok=True)
    return known


def _fetch(uri: PackageURI, step: Step) -> Distribution:
    if offline():
        kept = cached(uri, exact=False)
        if kept:
            return kept
        raise UserError("TS-MODEL-002", f"Offline mode is on and `{uri.requirement}` is neither installed nor in the cache.",
                        fix="Run once without TUNESMITH_OFFLINE, or install the package.")  # fmt: skip
    home = cache_root() / "packages" / uri.normalized
    with file_lock(home.with_name(uri.normalized + ".lock"), step):
        already = cached(uri, exact=True)  # another process may have brought it while this one waited
        if already:
            return already
        for left in home.glob("staging-*"):  # by a killed process; its pip may still live, so the new one has another name
            shutil.rmtree(left, ignore_errors=True)
        home.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix="staging-", dir=home))
        try:
            return _bring(uri, home, staging, step)
        except TunesmithError as error:
            kept = cached(uri, exact=False) if error.code == "TS-MODEL-002" else None
            if kept is None:
                raise
            step.log(f"{error.what} Going on with version {kept.version} from the cache.", "warning")
            return kept
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _bring(uri: PackageURI, home: Path, staging: Path, step: Step) -> Distribution:
    (staging / "pip").mkdir()
    wheel = pip.download(uri.requirement, staging / "pip", step)
    version = wheel.name.split("-")[1]
    digest = hashlib.sha256()
    with wheel.open("rb") as file:
        while chunk := file.read(8 << 20):
            digest.update(chunk)
    target = home / (uri.version or version)
    known = cached(dataclasses.replace(uri, version=target.name), exact=True)
    if known and known.wheel == digest.hexdigest():
        return known
    files = unpack(wheel, staging / "files", step)
    (target / "wheel.json").unlink(missing_ok=True)  # the marker goes first, so that half a directory is never taken for a whole one
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    os.rename(staging / "files", target / "files")
    write_json(target / "wheel.json", {"version": version, "sha256": digest.hexdigest(), "name": wheel.name, "files": files})
    return Distribution(version, target / "files", files, digest.hexdigest(), ours=True)
