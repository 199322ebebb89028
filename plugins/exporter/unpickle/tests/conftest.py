"""Small checkpoints whose weights are pickled."""

import json

import pytest

torch = pytest.importorskip("torch", reason="the runtime of this plugin is not installed")
CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 8, "num_hidden_layers": 1}


def state():
    """Tensors of several dtypes; two of one storage, one transposed, one empty, one without dimensions."""
    torch.manual_seed(3)
    whole = torch.randn(6, 4)
    return {
        "embed.weight": whole, "head.weight": whole, "part": whole[2:4], "turned": torch.randn(3, 5).t(), "half": torch.randn(7).half(),
        "brain": torch.randn(2, 3).bfloat16(), "whole": torch.arange(5), "yes": torch.tensor([True, False]), "one": torch.tensor(2.5),
        "none": torch.empty(0, 3), "parameter": torch.nn.Parameter(torch.randn(2)),
    }  # fmt: skip


@pytest.fixture
def checkpoint(tmp_path):
    """``checkpoint(state, legacy=...)``: the folder of a model with `pytorch_model.bin`."""

    def make(tensors=None, *, legacy=False, name="pytorch_model.bin"):
        folder = tmp_path / "pickled"
        folder.mkdir(exist_ok=True)
        torch.save(state() if tensors is None else tensors, folder / name, _use_new_zipfile_serialization=not legacy)
        (folder / "config.json").write_text(json.dumps(CONFIG))
        (folder / "tokenizer.json").write_text("{}")
        return folder

    return make


@pytest.fixture
def unpickle(local_step):
    """``unpickle(folder)``: the step, whose output has what was made."""
    from tunesmith.contracts import Artifact
    from tunesmith_unpickle.exporter import Unpickler
    from tunesmith_unpickle.settings import UnpickleSettings

    def run(folder, allow="scanned", **settings):
        step = local_step()
        step.result = Unpickler(UnpickleSettings(allow, **settings)).export(Artifact("model/pickle", folder), step.output, step)
        return step

    return run
