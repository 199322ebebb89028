"""A model or an adapter -> a folder to upload: its files, and README.md."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith.contracts.artifacts import several
from tunesmith_hub_folder.card import card
from tunesmith_hub_folder.facts import Facts, facts_of
from tunesmith_hub_folder.metrics import metrics_of
from tunesmith_hub_folder.settings import HubFolderSettings

CARD, ADAPTER = "README.md", "adapter_config.json"
_ROWS = (".jsonl",)  # what training notes of rows: texts that need not be public


class HubFolder:
    def __init__(self, settings: HubFolderSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write the files, an adapter's config with the name of its base, and the card."""
        facts = facts_of(source, self.settings)
        metrics = metrics_of(several(step.inputs, "reports"), source.digest)
        name = self.settings.model_name or step.pipeline or "model"
        text = card(facts, metrics, self.settings, name)
        for path in sorted(path for path in source.path.rglob("*") if path.is_file() and path.suffix not in _ROWS):
            step.check_cancelled()
            target = output / path.relative_to(source.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            step.log(f"{target.name}: {path.stat().st_size / 1e6:.1f} MB")
        (output / CARD).write_text(text, encoding="utf-8")
        if facts.adapter and (output / ADAPTER).is_file():
            _name_base(output / ADAPTER, facts, step)
        if unknown := [what for what, value in (("base model", facts.base or facts.base_text), ("licence", facts.license)) if not value]:
            step.log(f"The card says that this is unknown: {', '.join(unknown)}. Settings may tell it.", "notice")
        return Result(metrics={"bytes": float(sum(path.stat().st_size for path in output.rglob("*") if path.is_file()))})


def _name_base(file: Path, facts: Facts, step: Step) -> None:
    """PEFT loads the base model by what an adapter's config says."""
    said = json.loads(file.read_text("utf-8"))
    if facts.base:
        said["base_model_name_or_path"] = facts.base
        file.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    elif not said.get("base_model_name_or_path"):
        step.log("The adapter's config names no base model, so that PEFT has to be told; the setting `base_model` names it.", "notice")
