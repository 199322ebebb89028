"""An exporter tried in its environment: what it writes is run there by its own runtime, and held against what transformers says here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

import tunesmith
import tunesmith_models
from tunesmith.contracts import Artifact
from tunesmith.plugins.manifest import read_manifest
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.environments import environment_of

_RUN = """
import json, sys
from {module} import {function} as log_probs
print(json.dumps([found.tolist() for found in log_probs(sys.argv[1], json.loads(sys.argv[2]))]))
"""


class Conversions:
    """Exports of one exporter, in the environment that its manifest asks for.

    Args:
        package: the plugin's import name, which its manifest lies in; the manifest brings one exporter.
        exporter, settings: its classes.
        folders: pytest's ``tmp_path_factory``.
    """

    def __init__(self, package: str, exporter: Any, settings: Any, folders: pytest.TempPathFactory) -> None:
        self._exporter, self._settings, self._folders = exporter, settings, folders
        modules = (tunesmith, tunesmith_models, import_module(package))
        self._sources = os.pathsep.join(str(Path(module.__file__).parents[1]) for module in modules)
        self._facts = read_manifest(Path(modules[-1].__file__).parent / "plugin.toml").providers[0].facts
        self.python = str(environment_of(package, folders.mktemp("environments")).python)

    def export(self, model: Path, **settings: Any) -> Path:
        """The directory that the exporter wrote of a checkpoint."""
        step = LocalStep.make(self._folders.mktemp("export"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "executable", self.python)
            patch.setenv("PYTHONPATH", self._sources)
            self._exporter(self._settings(**settings)).export(Artifact("model/hf", model), step.output, step)
        return step.output

    def log_probs(self, made: Path, ids: Sequence[Sequence[int]], program: str = "") -> list[torch.Tensor]:
        """What an export expects after each token, by the function that the manifest's fact ``log_probs`` names.

        Args:
            program: another program, which is given the directory and the ids as JSON, and prints logits or log-probabilities so.
        """
        module, _, function = self._facts["log_probs"].partition(":")
        said = self.run(program or _RUN.format(module=module, function=function), str(made), json.dumps(ids))
        return [torch.tensor(one).log_softmax(-1) for one in json.loads(said)]

    def run(self, program: str, *words: str) -> str:
        """The last line that a program prints in the environment."""
        command = [self.python, "-c", program, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": self._sources})
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]


def expected(model: Path, ids: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    """What transformers says in float32 that the checkpoint expects after each token."""
    from transformers import AutoModelForCausalLM

    theirs = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    with torch.no_grad():
        return [theirs(torch.tensor([row])).logits[0].log_softmax(-1) for row in ids]


def divergence(theirs: Sequence[torch.Tensor], ours: Sequence[torch.Tensor]) -> float:
    """Mean over the tokens of what the second expects beside the first, in nats."""
    before, after = torch.cat(list(theirs)), torch.cat(list(ours))
    return float((before.exp() * (before - after)).sum(-1).mean())
