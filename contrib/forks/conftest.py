"""A house where some of these plugins are installed, from their wheels, beside what this repository installs."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
#: what the smallest real model needs: a configuration, and a safetensors file of one number
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 2,
    "num_hidden_layers": 1, "intermediate_size": 16, "vocab_size": 10, "max_position_embeddings": 32,
}  # fmt: skip


@dataclass
class House:
    """Args:
    folder: the project, with a model in it.
    site: where the plugins are installed.
    """

    folder: Path
    site: Path

    def tunesmith(self, *words: str, status: int | None = 0, **variables: str) -> str:
        """Run the command in the project; what it said. `status` None: whatever comes."""
        environment = {name: value for name, value in os.environ.items() if name not in ("TUNESMITH_HOME", "TUNESMITH_CACHE")}
        environment |= {"PYTHONPATH": str(self.site), "XDG_CONFIG_HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "cache")}
        done = subprocess.run(
            [sys.executable, "-m", "tunesmith_cli", *words], cwd=self.folder, env=environment | variables, capture_output=True, text=True,
            check=False, stdin=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip
        told = done.stdout + done.stderr
        assert status is None or done.returncode == status, told
        return told

    def states(self) -> dict[str, str]:
        """The state of each plugin, by distribution."""
        text = self.tunesmith("plugin", "list", "--json")
        return {one["distribution"]: one["state"] for one in json.JSONDecoder().raw_decode(text)[0]}

    @contextlib.contextmanager
    def importing(self) -> Iterator[None]:
        """Within it, the plugins can be imported here."""
        sys.path.insert(0, str(self.site))
        try:
            yield
        finally:
            sys.path.remove(str(self.site))


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., House]:
    """``house("card", ..., pipeline=..., config=...)``: a project with these plugins installed."""

    def make(*forks: str, pipeline: str = "", config: str = "") -> House:
        place = House(tmp_path / "project", tmp_path / "site")
        for fork in forks:
            build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "wheels" / fork]
            subprocess.run(build, cwd=HERE / fork, check=True, capture_output=True)
            (wheel,) = (tmp_path / "wheels" / fork).glob("*.whl")
            zipfile.ZipFile(wheel).extractall(place.site)
        model = place.folder / "model"
        model.mkdir(parents=True)
        (model / "config.json").write_text(json.dumps(CONFIG))
        header = json.dumps({"lm_head.weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
        (model / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<f", 1.0))
        (place.folder / "tunesmith.yaml").write_text(pipeline)
        (place.folder / "tunesmith.toml").write_text(config)
        return place

    return make
