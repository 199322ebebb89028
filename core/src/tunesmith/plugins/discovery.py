"""Finds the installed plugins and their manifests. Never raises for what it finds, and imports nothing of theirs (law L2).

What was found is kept in a cache that holds as long as the entries of sys.path have not changed; each manifest is looked at anew when
its own file has. So with nothing changed a start costs one small JSON file and one `stat` per plugin.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tunesmith.config import Config

LAYOUT = 5  #: of the cache file
_RACY = 2.0  #: seconds: a file that changed this recently may change again within its timestamp's grain


def discover(config: Config) -> list[dict[str, Any]]:
    """The installed plugins, the kernel first, as plain entries.

    An entry has ``distribution``, ``version``, ``name``, ``module``; ``refused``: why policy forbids it (then nothing of it was read);
    ``manifest``: its path, empty if its package can't be found; ``data``: what the manifest says, or ``problem``: why that can't be
    known, and ``fix``: what to do about it; ``kernel``, ``missing`` and ``fingerprint``: see `tunesmith.plugins.requirements`;
    ``absent``: see `Plugin.absent`.
    """
    from tunesmith import __version__

    paths = list(_paths())
    key = [sys.version, __version__, paths]
    file = config.cache / "plugins" / f"{zlib.crc32(repr([sys.version, [path for path, _ in paths]]).encode()):08x}.json"
    cached = _load(file)
    known = cached.get("key") == key
    entries = cached["plugins"] if known else list(_scan(cached.get("plugins", [])))
    changed = not known
    for index, entry in enumerate(entries):
        entry["refused"] = config.refusal(entry["distribution"], entry["version"], partial(_contents, entry)) if index else ""
        if not entry["refused"]:
            changed |= _look(entry)
    wanted = [entry for entry in entries if "data" in entry and "fingerprint" not in entry and not entry["refused"]]
    if wanted:
        changed = True
        _judge_runtimes(wanted)
    if changed:
        _store(file, {"key": key if _settled(paths) else None, "plugins": entries})
    return entries


def _paths() -> Iterator[list[Any]]:
    """The entries of sys.path with their times of change.

    The first is left out when it holds no distribution: it is then the script's folder or the current directory, which changes all
    the time and brings no plugin.
    """
    from tunesmith.plugins import entry_points as scan

    for index, path in enumerate(scan.search_path()):
        if index == 0 and not scan.information_folders(path):
            continue
        try:
            yield [path, os.stat(path).st_mtime_ns]
        except OSError:
            yield [path, 0]


def _contents(entry: dict[str, Any]) -> str:
    from tunesmith.plugins.code_digest import digest

    return digest(entry["module"], entry["manifest"])


def _scan(old: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Fresh entries; manifests that an older scan has read are taken from it."""
    import tunesmith
    from tunesmith.plugins import KERNEL, KERNEL_MODULE
    from tunesmith.plugins import entry_points as scan

    manifest = str(Path(tunesmith.__file__).parent / "verbs" / "plugin.toml")
    kernel = {"distribution": KERNEL, "version": tunesmith.__version__, "name": "", "module": KERNEL_MODULE, "manifest": manifest}
    read = {entry["manifest"]: entry for entry in old if entry.get("manifest")}
    for entry in [kernel, *(point._asdict() for point in scan.entry_points(scan.distributions(scan.search_path())))]:
        if "manifest" not in entry:
            entry["manifest"] = str(scan.manifest_path(entry["module"]) or "")
        yield entry | {key: value for key, value in read.get(entry["manifest"], {}).items() if key in ("stamp", "data", "problem", "fix")}


def _look(entry: dict[str, Any]) -> bool:
    """Read the manifest if it changed since it was read; whether it did."""
    path = entry["manifest"]
    try:
        facts = os.stat(path) if path else None
    except OSError:
        facts = None
    stamp = [facts.st_mtime_ns, facts.st_size] if facts else []
    if entry.get("stamp") == stamp:
        return False
    for key in ("data", "problem", "fix", "kernel", "missing", "fingerprint", "absent"):
        entry.pop(key, None)
    entry["stamp"] = stamp if not facts or time.time() - facts.st_mtime > _RACY else None
    if not path:
        entry["problem"] = f"its package `{entry['module'].partition('.')[0]}` can't be found"
        entry["fix"] = f"pip install --force-reinstall --no-deps {entry['distribution']}"
    elif not facts and not _has_module(entry):
        entry["problem"] = f"its entry point names {entry['module']}, and there is no such module in {Path(path).parent}"
        entry["fix"] = _correct(entry)
    elif not facts:
        entry["problem"], entry["fix"] = f"it has no manifest at {path}", _rewrite(entry)
    else:
        _read(entry, Path(path))
    return True


def _has_module(entry: Mapping[str, Any]) -> bool:
    """Whether the file of the module is there that the entry point names."""
    folder, last = Path(entry["manifest"]).parent, entry["module"].partition(":")[0].rpartition(".")[2]
    return folder.name == last or (folder / f"{last}.py").is_file()


def _correct(entry: Mapping[str, Any]) -> str:
    """What fixes an entry point: its author can, nobody else."""
    from tunesmith.plugins.editable import folder_of

    folder = folder_of(Path(entry["manifest"])) if entry.get("editable") else None
    if folder:
        return f"correct the entry point in {folder / 'pyproject.toml'} (or write the module), then `pip install -e {folder}`"
    return f"pip install --upgrade {entry['distribution']}; if it is the same then, tell its author: the wheel lacks the module"


def _rewrite(entry: Mapping[str, Any]) -> str:
    """How a manifest comes about that is missing or wrong: by whom depends on whether the source is here."""
    if entry.get("editable"):
        from tunesmith.plugins.editable import folder_of

        if folder := folder_of(Path(entry["manifest"])):
            return f"tunesmith plugin sync {folder}"
    return (
        f"pip install --upgrade --force-reinstall --no-deps {entry['distribution']}; "
        "if it is the same then, ask its author to run `tunesmith plugin sync` and to see that the wheel carries plugin.toml"
    )


def _read(entry: dict[str, Any], path: Path) -> None:
    from tunesmith.errors import TunesmithError
    from tunesmith.plugins import KERNEL
    from tunesmith.plugins.manifest import read_data

    try:
        entry["data"] = read_data(path)
    except TunesmithError as error:
        entry["problem"] = f"{error.what}{f' ({error.why})' if error.why else ''}"
        entry["fix"] = f"pip install --upgrade {KERNEL}" if "newer tunesmith" in error.fix else _rewrite(entry)
        return
    if entry["data"]["module"] != entry["module"]:
        del entry["data"]
        entry["problem"], entry["fix"] = f"{path} is not the manifest of {entry['module']}", _rewrite(entry)


def _judge_runtimes(entries: list[dict[str, Any]]) -> None:
    from tunesmith.plugins import requirements
    from tunesmith.plugins.manifest import surroundings_of
    from tunesmith.plugins.records import Plugin

    installed = requirements.Installed()
    for entry in entries:
        named = tuple(entry["data"].get("runtime", ()))
        plugin = Plugin(
            entry["distribution"], entry["version"], entry["module"], runtime=named, environment_spec=surroundings_of(entry["data"])
        )
        entry["kernel"] = requirements.other_kernel(plugin, installed)
        entry["missing"] = {device: list(phrases) for device, phrases in requirements.missing(plugin, installed).items()}
        entry["fingerprint"] = requirements.fingerprint(plugin, installed)
        entry["absent"] = [] if entry.get("editable") else _absent(entry)


def _absent(entry: Mapping[str, Any]) -> list[str]:
    """What records name and is not there, of what was installed to stay as it is."""
    from tunesmith.plugins.manifest import plugin_of
    from tunesmith.plugins.missing_targets import missing_here

    plugin = plugin_of(entry["data"], Path(entry["manifest"]), entry["distribution"], entry["version"])
    return [error.what for error in missing_here(plugin)]


def _settled(paths: list[list[Any]]) -> bool:
    return all(time.time() - changed / 1e9 > _RACY for _, changed in paths)


def _load(file: Path) -> dict[str, Any]:
    """The cache's content; empty if there is none, or it is not as it was written."""
    try:
        head, _, body = file.read_bytes().partition(b"\n")
        if head == _head(body):
            return json.loads(body)
        return {}
    except (OSError, ValueError):
        return {}


def _store(file: Path, content: dict[str, Any]) -> None:
    """Replace the cache in one move. Without a place to write there is no cache, and all works as well."""
    body = json.dumps(content, separators=(",", ":")).encode()
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(_head(body) + b"\n" + body)
        temporary.replace(file)
    except OSError:
        from contextlib import suppress

        with suppress(OSError):
            temporary.unlink()


def _head(body: bytes) -> bytes:
    return f"tunesmith-plugins {LAYOUT} {zlib.crc32(body):08x}".encode()
