"""The public card, and under it what Acme has to say."""

from __future__ import annotations

from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_model_card.exporter import ModelCard

NOTICE = "## Use\n\nFor use inside Acme. Owner: {owner}.\n"


class AcmeCard(ModelCard):
    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        result = super().export(source, output, step)
        with (output / "README.md").open("a", encoding="utf-8") as page:
            page.write("\n" + NOTICE.format(owner=self.settings.owner))
        return result
