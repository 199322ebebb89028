"""Formats that other plugins write, and how their files are told from others: the fact ``layouts`` of their manifests.

    layouts = {"acme/tilt": {"files": ["tilt.bin"], "also": ["tilt_*.json"]}, "acme/packed": {"config": ["packing.bits"]}}

Of the first a file is there that each of ``files`` matches, and no checkpoint of safetensors lies beside it; what matches ``also`` belongs
to it as well. The second is a checkpoint of safetensors whose config.json has each of the keys, those of objects within it after dots.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.plugins.records import ProviderRecord

FACT = "layouts"
_KEYS = ("files", "also", "config")


@dataclass(frozen=True)
class DeclaredLayout:
    """How a format is recognised.

    Args:
        format: the artifact format (``model/onnx``).
        files: patterns of file names, relative to the model's directory, that are all there.
        also: patterns of what belongs to it besides.
        config: keys that the config.json beside safetensors has.
    """

    format: str
    files: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    config: tuple[str, ...] = ()


def declared_layouts(facts: Mapping[str, Any]) -> tuple[DeclaredLayout, ...]:
    """Those that the installed plugins declare. One that is not understood is passed over: the conformance kit tells its author
    (`wrong_with`).

    Args:
        facts: `Step.facts` of a loader that is asked what a URI means, or what `kept_layouts` gave.
    """
    return tuple(one for fact in facts.get(FACT, ()) if not _wrong(fact) for one in _read(fact))


def kept_layouts(layouts: Sequence[DeclaredLayout], format: str) -> dict[str, Any]:
    """What a loader hands on in `ModelInfo.fetch`, to find the same files of a model of this format again; empty if it needs none."""
    said = [{one.format: {key: getattr(one, key) for key in _KEYS}} for one in layouts if one.format == format]
    return {FACT: said} if said else {}


def format_by_config(config: Mapping[str, Any], layouts: Sequence[DeclaredLayout]) -> str:
    """The format of a checkpoint with this config.json, where a layout knows it; else empty."""
    return next((one.format for one in layouts if one.config and all(_has(config, key) for key in one.config)), "")


def wrong_with(record: ProviderRecord) -> str:
    """What is wrong with a provider's fact, as a clause; empty if nothing is."""
    return _wrong(record.facts[FACT])


def _read(fact: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[DeclaredLayout]:
    for format, said in fact.items():
        yield DeclaredLayout(format, **{key: tuple(said.get(key, ())) for key in _KEYS})


def _wrong(fact: Any) -> str:
    if not isinstance(fact, Mapping):
        return "it is no object of formats"
    for format, said in fact.items():
        if not isinstance(said, Mapping) or not said.keys() <= set(_KEYS):
            return f"`{format}` is no object of {', '.join(_KEYS)}"
        if any(not isinstance(words, Sequence) or isinstance(words, str) or not all(isinstance(w, str) and w for w in words)
               for words in said.values()):  # fmt: skip
            return f"`{format}` has something else than lists of words"
        if bool(said.get("files")) == bool(said.get("config")):
            return f"`{format}` needs either `files` or `config`"
    return ""


def _has(config: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(config, Mapping) or part not in config:
            return False
        config = config[part]
    return True
