"""The exporter: reads what the artifact says of itself, writes README.md."""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_model_card.settings import CardSettings
from tunesmith_models import ModelShape


class ModelCard:
    """A Markdown page from an artifact's configuration and provenance."""

    def __init__(self, settings: CardSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        lines = [f"# {self.settings.title}", ""]
        lines += [f"- {name}: {value}" for name, value in self._facts(source).items() if value]
        settings = source.producer.get("settings")
        if settings:
            lines += ["", "## Made with", "", "```json", json.dumps(settings, indent=2, sort_keys=True), "```"]
        (output / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        step.log(f"described {source.format}")
        return Result(metrics={"lines": float(len(lines))})

    def _facts(self, source: Artifact) -> dict[str, str]:
        config_file = source.path / "config.json"
        config = json.loads(config_file.read_text(encoding="utf-8")) if config_file.exists() else {}
        shape = ModelShape.from_config(config)
        size = sum(path.stat().st_size for path in source.path.rglob("*") if path.is_file())
        return {
            "format": source.format,
            "digest": source.digest,
            "architecture": ", ".join(config.get("architectures", [])),
            "parameters": f"{shape.parameters:,}" if shape else "",
            "size": f"{size / 1e6:.1f} MB",
            "made by": str(source.producer.get("name", "")),
            "licence": self.settings.licence,
            "contact": self.settings.contact,
        }
