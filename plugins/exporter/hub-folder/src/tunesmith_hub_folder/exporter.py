"""A model or an adapter -> a folder to upload: its files, and README.md."""

from __future__ import annotations

import shutil
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith.contracts.artifacts import several
from tunesmith_hub_folder.hub_files import hub_files
from tunesmith_hub_folder.settings import HubFolderSettings


class HubFolder:
    def __init__(self, settings: HubFolderSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write the files, an adapter's config with the name of its base, and the card."""
        made = hub_files(source, several(step.inputs, "reports"), self.settings, self.settings.model_name or step.pipeline or "model")
        for name, path in made.copied.items():
            step.check_cancelled()
            target = output / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            step.log(f"{target.name}: {path.stat().st_size / 1e6:.1f} MB")
        for name, text in made.written.items():
            (output / name).write_text(text, encoding="utf-8")
        if made.nameless:
            step.log("The adapter's config names no base model, so that PEFT has to be told; the setting `base_model` names it.", "notice")
        if made.unknown:
            step.log(f"The card says that this is unknown: {', '.join(made.unknown)}. Settings may tell it.", "notice")
        return Result(metrics={"bytes": float(sum(path.stat().st_size for path in output.rglob("*") if path.is_file()))})
