"""What lies in a model's folder on the hub: its files, an adapter's config with the name of its base, and the card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.contracts import Artifact
from tunesmith_hub_folder.card import card
from tunesmith_hub_folder.facts import Facts, facts_of
from tunesmith_hub_folder.metrics import metrics_of
from tunesmith_hub_folder.settings import HubFolderSettings

CARD, ADAPTER = "README.md", "adapter_config.json"
_ROWS = (".jsonl",)  # what training notes of rows: texts that need not be public


@dataclass(frozen=True)
class HubFiles:
    """
    Args:
        copied: name -> a file of the artifact, as it is.
        written: name -> the text of one that is made.
        unknown: what the card says is unknown, and settings may tell.
        nameless: an adapter whose config names no base model.
    """

    copied: Mapping[str, Path]
    written: Mapping[str, str]
    unknown: tuple[str, ...]
    nameless: bool


def hub_files(source: Artifact, reports: Sequence[Artifact], settings: HubFolderSettings, name: str) -> HubFiles:
    """
    Args:
        reports: evaluations, whose metrics stand in the card.
        name: title of the card.
    """
    facts = facts_of(source, settings)
    copied = {
        path.relative_to(source.path).as_posix(): path
        for path in sorted(source.path.rglob("*"))
        if path.is_file() and path.suffix not in _ROWS and path != source.path / CARD
    }
    written, nameless = {CARD: card(facts, metrics_of(reports, source.digest), settings, name)}, False
    if facts.adapter and ADAPTER in copied:
        said = json.loads(copied[ADAPTER].read_text("utf-8"))
        nameless = not (facts.base or said.get("base_model_name_or_path"))
        if facts.base:  # PEFT loads the base model by what an adapter's config says
            said["base_model_name_or_path"] = facts.base
            written[ADAPTER] = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
            del copied[ADAPTER]
    return HubFiles(copied, written, _unknown(facts), nameless)


def _unknown(facts: Facts) -> tuple[str, ...]:
    return tuple(what for what, value in (("base model", facts.base or facts.base_text), ("licence", facts.license)) if not value)
