"""The manifests are what the cluster's published schemas allow, and fit together and to the image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact, EstimateRequest, UserError
from tunesmith.contracts.settings import build, fill, schema_of
from tunesmith_kubernetes.estimate import estimate
from tunesmith_kubernetes.exporter import KubernetesExporter
from tunesmith_kubernetes.manifests import cluster_name
from tunesmith_kubernetes.settings import KubernetesSettings

yaml = pytest.importorskip("yaml", reason="the runtime of this plugin is not installed")
IMAGE = "registry.example:5000/team/model:1"
SAID = {"name": "Support Bot", "port": 9000, "ctx_size": 512, "parallel": 2, "memory": 1000 * 2**20}


@pytest.fixture
def export(tmp_path: Path, local_step):
    def run(**settings: Any) -> dict[str, Any]:
        (tmp_path / "serve.json").write_text(json.dumps(SAID))
        step = local_step()
        values = {"image": IMAGE, **settings}
        KubernetesExporter(KubernetesSettings(**values)).export(Artifact("folder/docker", tmp_path), step.output, step)
        return {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in step.output.iterdir()}

    return run


@pytest.mark.parametrize("version", ["1.29", "1.37"])
def test_the_published_schemas_of_the_api_allow_them_strictly(export, version: str):
    schemas = pytest.importorskip("kubernetes_validate", reason="it carries the schemas")
    made = export()
    assert sorted(made) == ["deployment", "hpa", "service"]
    for manifest in made.values():
        schemas.validate(manifest, version, strict=True)
    made["deployment"]["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(schemas.ValidationError):
        schemas.validate(made["deployment"], version, strict=True)


def test_they_name_one_another_and_what_the_image_listens_on(export):
    made = export()
    deployment, service, autoscaler = made["deployment"], made["service"], made["hpa"]
    assert {one["metadata"]["name"] for one in made.values()} == {"support-bot"} == {autoscaler["spec"]["scaleTargetRef"]["name"]}
    pod = deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    (container,) = pod["spec"]["containers"]
    assert (container["image"], container["ports"]) == (IMAGE, [{"name": "http", "containerPort": 9000}])
    assert service["spec"]["ports"][0]["targetPort"] == "http"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/health", "port": "http"}
    assert "replicas" not in deployment["spec"], "the autoscaler's number would be undone by each apply"


def test_resources_are_the_estimates(export):
    (container,) = export(cpu=1.5, memory_headroom=2.0)["deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == {"requests": {"cpu": "1500m", "memory": "1000Mi"}, "limits": {"memory": "2000Mi"}}


def test_nothing_runs_as_root_or_writes(export):
    pod = export()["deployment"]["spec"]["template"]["spec"]
    assert (pod["securityContext"]["runAsNonRoot"], pod["automountServiceAccountToken"]) == (True, False)
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"]


@pytest.mark.parametrize(
    ("text", "name"), [("Support Bot", "support-bot"), ("a" * 80, "a" * 53), ("你好", "model"), ("-x_", "x"), ("m" * 52 + "-n", "m" * 52)]
)
def test_any_name_becomes_one_that_a_cluster_takes(text: str, name: str):
    assert cluster_name(text) == name
    assert build(KubernetesSettings, {"image": IMAGE, "name": name}).name == name


def test_what_does_not_fit_is_refused_in_the_plan():
    def planned(**settings: Any):
        return estimate(EstimateRequest({}, 0, fill(schema_of(KubernetesSettings), {"image": IMAGE, **settings})))

    assert planned(replicas=4).disk
    with pytest.raises(UserError, match="TS-EXPORT-002"):
        planned(replicas=5)
    for wrong in ({}, {"image": "model"}, {"image": "model:latest"}, {"image": IMAGE, "name": "Support"}):
        with pytest.raises(UserError, match="TS-SPEC-020"):
            build(KubernetesSettings, wrong)
