"""model/gguf -> a build context: the model, what serves it, and a Dockerfile."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_docker.estimate import container_memory, context_of
from tunesmith_docker.settings import DockerSettings
from tunesmith_file.api import gguf_config
from tunesmith_models.model_directory import gguf_in

CONTEXT = Path(__file__).parent / "context"
COPIED = ("serve.py", "healthcheck.py", "requirements.txt")


class DockerExporter:
    def __init__(self, settings: DockerSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write `Dockerfile`, `.dockerignore`, `requirements.txt`, `serve.py`, `healthcheck.py`, `serve.json` and `model.gguf`.

        Raises:
            UserError: TS-MODEL-010 when the model lies in several files; TS-EXPORT-002 for a context longer than the model's.
        """
        asked, file = self.settings, gguf_in(source.path)
        if file is None:
            raise UserError(
                "TS-MODEL-010", f"The model lies in {len(list(source.path.glob('*.gguf')))} GGUF files; one is needed.",
                fix="Join the parts with `llama-gguf-split --merge`.",
            )  # fmt: skip
        config, size = gguf_config(file), file.stat().st_size
        context = context_of(asked.ctx_size, config)
        said = {
            "name": asked.model_name or step.pipeline or "model", "port": asked.port, "ctx_size": context,
            "parallel": asked.parallel, "memory": container_memory(config, size, context, asked.parallel),
        }  # fmt: skip
        for name in COPIED:
            shutil.copyfile(CONTEXT / name, output / name)
        shutil.copyfile(CONTEXT / "dockerignore", output / ".dockerignore")
        text = (CONTEXT / "Dockerfile").read_text("utf-8")
        (output / "Dockerfile").write_text(text.format(base_image=asked.base_image, port=asked.port), encoding="utf-8")
        (output / "serve.json").write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        step.check_cancelled()
        step.progress(0, size, what="copy weights", unit="B")
        shutil.copyfile(file, output / "model.gguf")
        step.progress(size, size, what="copy weights", unit="B")
        step.log(f"a container of it takes about {said['memory'] / 1e6:.0f} MB of memory")
        return Result(metrics={"bytes": float(sum(path.stat().st_size for path in output.iterdir()))}, meta={"serve": said})
