"""A project that `tunesmith auto` is typed in: rows, and a catalogue that has a tiny model alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tunesmith_sdk.tiny_models import tiny_model

CHANNELS = [3, 40]
COMMAND = str(Path(sys.executable).with_name("tunesmith"))
_SHAPE = (
    *("model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "vocab_size"),
    *("tie_word_embeddings", "max_position_embeddings"),
)


class SmallProject:
    """
    Args:
        answer: of a row, with `{number}` in it.
        outliers: what some input channels of each layer are multiplied with, and the norm before it divided by: the model computes the
            same, and 4 bits for a group of weights are too few, as with the outliers of large models (Dettmers et al., arXiv:2208.07339).
        shape: of the model, beside what is usual for a tiny one.
    """

    def __init__(self, folder: Path, answer: str = "It is number {number}.", *, outliers: float = 1.0, **shape: Any) -> None:
        self.folder, self.home = folder, folder / "home"
        self.environment = {**os.environ, "TUNESMITH_LANG": "en", "TUNESMITH_HOME": str(self.home), "TERM": "dumb", "COLUMNS": "400"}
        model = tiny_model(folder / "tiny", **shape)
        if outliers != 1.0:
            _scale(model / "model.safetensors", outliers)
        config = json.loads((model / "config.json").read_text())
        family = {
            "family": "Tiny", "licence": "Apache-2.0", "released": "2026-11", "languages": ["en"], "template": "chatml",
            "context": config["max_position_embeddings"], "source": "a test",
            "config": {**{name: config[name] for name in _SHAPE}, "dtype": "float32"},
            "models": [{"uri": f"file://{model}", "parameters": 0.0003, "config": {}}],
        }  # fmt: skip
        (folder / "models.json").write_text(json.dumps({"families": [family]}))
        rows = "".join(f"What is thing {number}?,{answer.format(number=number)}\n" for number in range(90))
        (folder / "chats.csv").write_text(f"instruction,output\n{rows}")

    def words(self, goal: str, *more: str) -> list[str]:
        return ["auto", "--goal", goal, "--models", "models.json", "--any-model", "--no-load-test", "--no-serve", *more]

    def auto(self, goal: str, *, limit: int = 0) -> str:
        """What it prints, with a yes beforehand, once it has come to a good end.

        Args:
            limit: MiB that each of its processes may have for data; 0: what there is.
        """
        return self.typed(*self.words(goal, "--yes"), limit=limit)

    def typed(self, *words: str, limit: int = 0) -> str:
        def bounded() -> None:
            import resource

            resource.setrlimit(resource.RLIMIT_DATA, (limit << 20, limit << 20))

        done = subprocess.run(
            [COMMAND, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=1500,
            preexec_fn=bounded if limit else None,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
        return done.stdout

    @property
    def reports(self) -> list[str]:
        """Of the runs, the first first."""
        return [path.read_text() for path in sorted((self.home / "runs").glob("*/report.html"))]


def _scale(weights: Path, factor: float) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(weights)
    for name, tensor in tensors.items():
        if name.endswith("layernorm.weight"):
            tensor[CHANNELS] /= factor
        elif name.endswith(("q_proj.weight", "k_proj.weight", "v_proj.weight", "gate_proj.weight", "up_proj.weight")):
            tensor[:, CHANNELS] *= factor
    save_file(tensors, weights, {"format": "pt"})
