"""The build context: pinned, without root, with a health check, and nothing in it but what the image needs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact, EstimateRequest, UserError
from tunesmith.contracts.settings import build, fill, schema_of
from tunesmith_docker.estimate import container_memory, context_of, estimate
from tunesmith_docker.exporter import DockerExporter
from tunesmith_docker.settings import DockerSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2


@pytest.fixture
def model(tmp_path: Path) -> Path:
    gguf = pytest.importorskip("gguf", reason="a GGUF file is written by it")
    import numpy

    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "llama")
    writer.add_context_length(4096)
    writer.add_tensor("token_embd.weight", numpy.ones((3, 32), numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path


@pytest.fixture
def context(model: Path, local_step):
    def run(**settings) -> Path:
        step = local_step()
        DockerExporter(DockerSettings(**settings)).export(Artifact("model/gguf", model), step.output, step)
        return step.output

    return run


def test_the_image_is_pinned_has_no_root_and_a_health_check(context):
    parser = pytest.importorskip("dockerfile_parse").DockerfileParser(fileobj=(context(port=9000) / "Dockerfile").open("r+b"))
    said = [(one["instruction"], one["value"]) for one in parser.structure]
    assert parser.baseimage == "python:3.12.7-slim-bookworm"
    names = [name for name, _ in said]
    assert names.index("USER") > max(at for at, name in enumerate(names) if name in ("RUN", "COPY"))
    assert dict(said)["USER"] == "10001:10001"
    assert dict(said)["EXPOSE"] == "9000"
    assert json.loads(dict(said)["ENTRYPOINT"]) == ["python", "/app/serve.py"]
    assert json.loads(dict(said)["HEALTHCHECK"].partition("CMD ")[2]) == ["python", "/app/healthcheck.py"]


def test_all_that_is_copied_is_there_and_nothing_else_is_sent_to_the_builder(context):
    folder = context()
    copied = {
        name for line in (folder / "Dockerfile").read_text().splitlines() if line.startswith("COPY") for name in line.split()[1:-1]
    }  # fmt: skip
    sent = {line[1:] for line in (folder / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == sent == {path.name for path in folder.iterdir()} - {"Dockerfile", ".dockerignore"}
    assert all("==" in line for line in (folder / "requirements.txt").read_text().splitlines())


def test_hadolint_finds_nothing(context):
    linter = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which("hadolint")
    assert linter, "hadolint is not there: tools/requirements-test.txt installs it"
    done = subprocess.run([linter, context() / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_how_it_is_served_lies_beside_it(context):
    said = json.loads((context(model_name="m", port=9000, ctx_size=2048, parallel=2) / "serve.json").read_text())
    assert {**said, "memory": 0} == {"name": "m", "port": 9000, "ctx_size": 2048, "parallel": 2, "memory": 0}


def test_a_context_beyond_the_models_is_refused_in_the_plan_and_in_the_step(context):
    with pytest.raises(UserError, match="TS-EXPORT-002"):
        estimate(EstimateRequest(SMOLLM2, 10**8, fill(schema_of(DockerSettings), {"ctx_size": 8193})))
    assert estimate(EstimateRequest(SMOLLM2, 10**8, fill(schema_of(DockerSettings), {"ctx_size": 8192}))).disk == 10**8
    with pytest.raises(UserError, match="TS-EXPORT-002"):
        context(ctx_size=8192)
    assert [context_of(None, {"max_position_embeddings": most}) for most in (512, 8192)] == [512, 4096]


@pytest.mark.parametrize("image", ["python", "python:latest", "python:3.12@sha256:12", "registry:5000/python", "a b:1"])
def test_an_image_that_is_not_pinned_is_refused(image: str):
    with pytest.raises(UserError, match="TS-SPEC-020"):
        build(DockerSettings, {"base_image": image})


@pytest.mark.parametrize(
    "image", ["python:3.12.7", "registry.example:5000/team/python:1.2", "python@sha256:" + 64 * "a", "python:3@sha256:" + 64 * "a"]
)
def test_a_tag_or_a_digest_pins_an_image(image: str):
    assert build(DockerSettings, {"base_image": image}).base_image == image


def test_a_container_s_memory_grows_with_its_slots():
    """SmolLM2: 30 layers, 3 heads of 64, keys and values in 16 bits: 23,040 bytes a token."""
    one, two = (container_memory(SMOLLM2, 98_362_432, 2048, parallel) for parallel in (1, 2))
    assert two - one == 2048 * 23_040 + 49_152 * 4


def test_a_model_in_parts_is_refused(tmp_path: Path, local_step):
    for part in (1, 2):
        (tmp_path / f"big-{part:05}-of-00002.gguf").write_bytes(b"GGUF")
    step = local_step()
    with pytest.raises(UserError, match="TS-MODEL-010"):
        DockerExporter(DockerSettings()).export(Artifact("model/gguf", tmp_path), step.output, step)
