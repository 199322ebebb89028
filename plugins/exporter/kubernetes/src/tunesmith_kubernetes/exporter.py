"""folder/docker -> manifests for the image that is built of it."""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_kubernetes.estimate import check_replicas
from tunesmith_kubernetes.manifests import manifests
from tunesmith_kubernetes.settings import KubernetesSettings


class KubernetesExporter:
    def __init__(self, settings: KubernetesSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write `deployment.yaml`, `service.yaml` and `hpa.yaml`.

        Raises:
            UserError: TS-EXPORT-002 for more replicas at the least than at the most.
        """
        import yaml

        check_replicas(self.settings.replicas, self.settings.max_replicas)
        said = json.loads((source.path / "serve.json").read_text("utf-8"))
        for file, manifest in manifests(said, self.settings).items():
            step.check_cancelled()
            step.log(f"{file}: {manifest['kind']} {manifest['metadata']['name']}")
            (output / file).write_text(yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return Result(metrics={"memory": float(said["memory"])})
