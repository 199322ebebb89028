"""What the conformance kit can't know: a checkpoint whose weights are pickled."""

from __future__ import annotations

import hashlib

from tunesmith.contracts import Artifact
from tunesmith.errors import UserError
from tunesmith_sdk.conformance import Case


def source(case: Case) -> str:
    """A tiny model with a tokenizer, its weights as torch.save writes them."""
    import torch
    from safetensors.torch import load_file

    from tunesmith_sdk.tiny_models import tiny_model

    tiny_model(case.directory)
    weights = case.directory / "model.safetensors"
    torch.save(load_file(weights), case.directory / "pytorch_model.bin")
    weights.unlink()
    return "model/pickle"


def scene(case, setting, step, build):
    """A file that is allowed or not, on a machine that can cut off the network or not."""
    from tunesmith_unpickle import reading_process

    format, unpickler = source(case), build()
    script = step.work / "reading_process.py"
    text = open(reading_process.__file__, encoding="utf-8").read()  # noqa: SIM115
    if setting == "without_network":
        text = text.replace("_NEW_IPC, _NEW_USER, _NEW_NET = ", "_NEW_IPC, _NEW_USER, _NEW_NET = -1, -1, -1  # ")
    script.write_text(text, encoding="utf-8")
    before, reading_process.__file__ = reading_process.__file__, str(script)
    try:
        made = unpickler.export(Artifact(format, case.directory), step.output, step)
    except UserError as error:
        return {"error": error.code}
    finally:
        reading_process.__file__ = before
    return {"tensors": made.metrics["tensors"], "sha256": hashlib.sha256((step.output / "model.safetensors").read_bytes()).hexdigest()}


def model(case: Case, directory):
    """What the pickled weights compute: transformers' own model with them."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    made = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(directory))
    made.load_state_dict(torch.load(directory / "pytorch_model.bin", weights_only=True), strict=False)
    return made.eval()
