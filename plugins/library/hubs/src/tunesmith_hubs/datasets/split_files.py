"""Which files of a dataset's repository hold the rows of a configuration and a split.

What the repository's card says comes first (``configs`` in the YAML at the beginning of README.md), then the names of files, both read as
the library `datasets` reads them: https://huggingface.co/docs/hub/datasets-manual-configuration,
https://huggingface.co/docs/hub/datasets-file-names-and-splits
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tunesmith.errors import UserError, did_you_mean, listed

ENDINGS = (".parquet", ".arrow", ".jsonl", ".json", ".csv", ".tsv", ".txt")
_PACKED = (".gz", ".zst")
_ABOUT = {"dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json", "requirements.txt", "license.txt"}
_SPLITS = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
_SHARD = re.compile(r"data/(\w+(?:\.\w+)*)-\d{5}-of-\d{5}\d*[^/]*")  # as `datasets` pushes: the split is called as it stands there
_FRONT = re.compile(r"\A\ufeff?---\r?\n(.*?)\r?\n---", re.DOTALL)


def ending(name: str) -> str:
    """Of what kind a file is; empty for one that holds no rows."""
    plain = name.lower()
    for packed in _PACKED:
        plain = plain.removesuffix(packed)
    hidden = any(part.startswith(".") for part in name.split("/"))
    return next((one for one in ENDINGS if plain.endswith(one)), "") if not hidden and plain.rpartition("/")[2] not in _ABOUT else ""


def configs_of(card: str) -> list[Mapping[str, Any]]:
    """What a card says of configurations; empty where it says nothing that can be read."""
    import yaml

    match = _FRONT.match(card)
    try:
        found = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError:
        return []
    told = found.get("configs") if isinstance(found, Mapping) else None
    return [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []


def files_at(names: Iterable[str], place: str, shown: str) -> list[str]:
    """Those of a path in the repository: a file, a folder, or a pattern.

    Raises:
        UserError: TS-DATA-091 where it fits none.
    """
    every = sorted(names)
    if place in every:
        return [place]
    pattern = _pattern(place)
    found = [name for name in every if ending(name) and (pattern.fullmatch(name) or name.startswith(place.rstrip("/") + "/"))]
    if not found:
        raise UserError("TS-DATA-091", f"{shown} holds no file of rows at `{place}`", fix=did_you_mean(place, every))
    return found


def files_of(names: Iterable[str], configs: Sequence[Mapping[str, Any]], config: str, split: str, shown: str) -> list[str]:
    """Those of a configuration and a split, in their order.

    Args:
        config: empty: the default one. Where none is called so, it may be the split.
        split: empty: ``train``, or the only one.
        shown: how the user calls the dataset.

    Raises:
        UserError: TS-DATA-091 where it is not said which, or there is none.
    """
    every = sorted(names)
    data = [name for name in every if ending(name)]
    splits = _configured(data, configs, config) if configs else _by_folder(data, config)
    if splits is None and config and not split:
        default = _configured(data, configs, "") if configs else _by_folder(data, "")
        if default and config in default:
            return default[config]
    if splits is None:
        raise _unclear(shown, "configuration", config, _config_names(data, configs))
    if not splits:
        raise _no_rows(shown, every)
    wanted = split or ("train" if "train" in splits else next(iter(splits)) if len(splits) == 1 else "")
    if wanted not in splits:
        raise _unclear(f"{shown}:{config}" if config else shown, "split", wanted, list(splits))
    return splits[wanted]


def _configured(data: Sequence[str], configs: Sequence[Mapping[str, Any]], name: str) -> dict[str, list[str]] | None:
    """Split -> files, as the card says; None where it is not said which configuration, or there is none of the name."""
    found = [one for one in configs if one.get("config_name", "default") == name] if name else []
    if not name:
        found = [one for one in configs if one.get("default") is True or one.get("config_name", "default") == "default"]
        found = found or list(configs if len(configs) == 1 else ())
    if not found:
        return None
    told, folder = found[0].get("data_files"), str(found[0].get("data_dir") or "").strip("./")
    within = [one for one in data if one.startswith(folder + "/")] if folder else list(data)
    if told is None:
        return _by_name(within)
    entries = told if isinstance(told, list) else [told]
    if isinstance(told, Mapping):
        entries = [{"split": split, "path": path} for split, path in told.items()]
    splits: dict[str, list[str]] = {}
    for entry in entries:
        split, path = (str(entry.get("split", "train")), entry.get("path")) if isinstance(entry, Mapping) else ("train", entry)
        patterns = [_pattern(f"{folder}/{one}" if folder else str(one)) for one in (path if isinstance(path, list) else [path])]
        splits.setdefault(split, []).extend(one for pattern in patterns for one in data if pattern.fullmatch(one))
    return {split: list(dict.fromkeys(files)) for split, files in splits.items() if files}


def _by_folder(data: Sequence[str], config: str) -> dict[str, list[str]] | None:
    """The same by the names of files. Folders that are no splits are configurations, as where a hub has converted a dataset."""
    folders = _folders(data)
    if config:
        return _by_name([name for name in data if name.startswith(config + "/")]) if config in folders else None
    if "default" in folders:
        return _by_name([name for name in data if name.startswith("default/")])
    return None if len(folders) > 1 else _by_name(data)


def _folders(data: Sequence[str]) -> list[str]:
    found = {name.partition("/")[0] for name in data if "/" in name}
    outside = any("/" not in name for name in data)
    return [] if outside or any(_split_in(one) for one in found) else sorted(found)


def _by_name(data: Sequence[str]) -> dict[str, list[str]]:
    if not data:
        return {}
    kinds = Counter(ending(name) for name in data)
    usual = max(kinds, key=lambda kind: (kinds[kind], -ENDINGS.index(kind)))
    splits: dict[str, list[str]] = {}
    sharded = any(_SHARD.fullmatch(name) for name in data)
    for name in (name for name in data if ending(name) == usual):
        shard = _SHARD.fullmatch(name)
        if sharded and not shard:
            continue
        splits.setdefault(shard[1] if shard else _split_in(name), []).append(name)
    unnamed = splits.pop("", [])
    return splits or {"train": unnamed}


def _split_in(name: str) -> str:
    """The split that a path names, the last word of it that is one; empty if none is."""
    words = re.split(r"[^A-Za-z0-9]+", name.lower())
    return next((_SPLITS[word] for word in reversed(words) if word in _SPLITS), "")


def _config_names(data: Sequence[str], configs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(one.get("config_name", "default")) for one in configs] if configs else _folders(data)


def _unclear(shown: str, what: str, given: str, names: Sequence[str]) -> UserError:
    sign = ":" if what == "configuration" else "/" if ":" in shown.rpartition("/")[2] else ":"
    if not given:
        fix = f"Name one: {listed(f'{shown}{sign}{name}' for name in names[:8])}" + (f", {len(names) - 8} more." if len(names) > 8 else ".")
        return UserError("TS-DATA-091", f"{shown} has {len(names)} {what}s, and it is not said which is meant", fix=fix)
    return UserError("TS-DATA-091", f"{shown} has no {what} `{given}`", why=f"It has {listed(names[:20])}.", fix=did_you_mean(given, names))


def _no_rows(shown: str, names: Sequence[str]) -> UserError:
    script = any(name.endswith(".py") and "/" not in name for name in names)
    if script:
        why = "It is made by a program of its repository, which is not run."
        fix = f"Name its converted rows, if the hub has them: {shown.partition('@')[0]}@refs/convert/parquet"
        return UserError("TS-DATA-091", f"{shown} holds no files of rows", why=why, fix=fix)
    why = f"It holds {listed(names[:6])}." if names else "It is empty."
    return UserError("TS-DATA-091", f"{shown} holds no files of rows", why=why, fix=f"Files of rows end in {listed(ENDINGS)}.")


def _pattern(glob: str) -> re.Pattern[str]:
    """``*`` within a name, ``**`` over folders."""
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.removeprefix("./"))
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts))
