"""A gateway's configuration: a YAML file, checked as a whole, with all that is wrong told at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tunesmith.contracts.allowed_hosts import is_loopback
from tunesmith.contracts.settings import build, problems, schema_of
from tunesmith.errors import Problems, TunesmithError, UserError
from tunesmith_gateway.clients.api_keys import KeyStore
from tunesmith_gateway.settings import GatewaySettings, ModelSettings, UpstreamSettings

CODE = "TS-SERVE-041"
_FILES = ("keys_file", "tls_certificate", "tls_key")


def load(path: Path | None, given: Mapping[str, Any]) -> GatewaySettings:
    """The settings of a file with those of the command line on top; paths in the file start from its folder.

    Raises:
        Problems: TS-SERVE-041 for everything that does not fit; TS-SERVE-040 when it would listen to strangers without a key.
    """
    told = {} if path is None else _read(path)
    base = path.parent if path else Path()
    told |= {name: str(base / told[name]) for name in _FILES if isinstance(told.get(name), str) and told[name]}
    if isinstance(log := told.get("access_log"), str) and log not in ("", "-"):
        told["access_log"] = str(base / log)
    told |= given
    where = f"{path}: " if path else ""
    found: list[TunesmithError] = [_wrong(f"{where}`{at}` {sentence}") for at, sentence in problems(schema_of(GatewaySettings), told)]
    if not found:
        settings = _built(told)
        found = [*(_wrong(where + sentence) for sentence in _unsound(settings)), *_keys(settings)]
        if not found:
            return settings
    raise Problems(found)


def _read(path: Path) -> dict[str, Any]:
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(CODE, f"{path} can't be read", why=error.strerror or str(error), fix="Name a file: --config FILE.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(CODE, f"{path} is no YAML", why=" ".join(str(error).split()), fix="Correct it there.") from None
    if told is None:
        return {}
    if not isinstance(told, dict) or not all(isinstance(name, str) for name in told):
        raise UserError(CODE, f"{path} should be a mapping of settings", fix="`tunesmith gateway --help` shows an example.")
    return told


def _built(told: Mapping[str, Any]) -> GatewaySettings:
    models = {}
    for name, entry in told.get("models", {}).items():
        upstreams = [build(UpstreamSettings, upstream) for upstream in entry.get("upstreams", ())]
        models[name] = ModelSettings(**{**entry, "upstreams": upstreams})
    return replace(build(GatewaySettings, {**told, "models": {}}), models=models)


def _unsound(settings: GatewaySettings) -> Iterator[str]:
    """What no schema can say."""
    if not settings.models and not settings.discover:
        yield "it routes to nothing: name `models`, or take up the running endpoints of this home with `discover: true`"
    for name, model in settings.models.items():
        if sum(map(bool, (model.url, model.step, model.upstreams))) != 1:
            yield f"`models.{name}` should have one of `url`, `step` and `upstreams`"
        if model.upstreams and (model.model or model.key_env):
            yield f"`models.{name}` has `upstreams`: say `model` and `key_env` of each of them"
        several = {f"models.{name}.upstreams[{index}]": upstream for index, upstream in enumerate(model.upstreams)}
        for where, upstream in (several or {f"models.{name}": model}).items():
            if several and bool(upstream.url) == bool(upstream.step):
                yield f"`{where}` should have one of `url` and `step`"
            if upstream.url and not _is_url(upstream.url):
                yield f"`{where}.url` should be an address such as https://host/v1, got {upstream.url!r}"
            if upstream.key_env and not os.environ.get(upstream.key_env):
                yield f"`{where}.key_env` names the environment variable {upstream.key_env}, which is not set"
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        yield "`tls_certificate` and `tls_key` go together"
    for name in _FILES:
        if (path := getattr(settings, name)) and not os.access(path, os.R_OK):
            made = f": `tunesmith gateway key NAME --file {path}` makes it" if name == "keys_file" and not os.path.exists(path) else ""
            yield f"`{name}`: {path} can't be read{made}"
    if settings.keys_env and not os.environ.get(settings.keys_env):
        yield f"`keys_env` names the environment variable {settings.keys_env}, which is not set"


def _keys(settings: GatewaySettings) -> Iterator[TunesmithError]:
    keys = KeyStore(settings)
    if settings.keys_file and os.access(settings.keys_file, os.R_OK):
        try:
            keys.load()
        except Problems as error:
            yield from error.problems
            return
    if not is_loopback(settings.host) and not (keys.needed or settings.allow_without_keys):
        yield UserError(
            "TS-SERVE-040", f"the gateway would answer anybody who reaches {settings.host}",
            why="It has no keys, and that is not an address of this machine alone.",
            fix="Make a key: `tunesmith gateway key NAME --file keys.yaml`, and give `keys_file: keys.yaml`. To have it so all the same: "
            "`allow_without_keys: true`.",
        )  # fmt: skip


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0 and not parts.query
    except ValueError:
        return False


def _wrong(sentence: str) -> UserError:
    return UserError(CODE, sentence, fix="Correct it in the gateway's configuration; docs/gateway.md lists every setting.")
