"""The verb `merge`: an adapter folded into its base model."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open

from tunesmith.contracts import Result, Step, TunesmithError
from tunesmith_audit import remember
from tunesmith_torch.data.tokenizer.model_eos_tokens import name_ends
from tunesmith_torch.model.encoder import load_classifier, put_head, takes_head
from tunesmith_torch.model.head_files import read_heads, write_heads
from tunesmith_torch.model.loader import copy_tokenizer, load_base
from tunesmith_torch.model.usage_files import read_usage, write_usage
from tunesmith_torch.training.trainable_model import cast

LOST = 0.25  #: of the size of the update: more of it lost by rounding is warned of
PIECE = 2**22  #: elements of a matrix that are compared at a time: a vocabulary's at once would take gigabytes


def run(step: Step) -> Result:
    """Load the base, put the adapter on it, fold it in, save a plain model with the base's tokenizer.

    The folding is done in float32 whatever is stored, so that only the result is rounded, and it is told by how much.
    """
    artifact = step.inputs["model"]
    base = artifact.refs.get("base")
    if base is None:
        raise TunesmithError(
            "TS-TRAIN-007", "The adapter does not say which base model it belongs to, so it can't be merged",
            fix="Train it with Tunesmith, or import it together with its base model.",
        )  # fmt: skip
    step.progress(0, 3, what="merge")
    adapter, (heads, weights) = step.provider("adapter"), read_heads(artifact.path)
    if takes_head(base.path, tuple(heads)):
        model = load_classifier(base.path, heads[0], step.seed).eval().requires_grad_(False)
        put_head(model, weights)
    else:
        model = load_base(base, adapter)
    stored = next(p.dtype for p in model.parameters() if p.is_floating_point())
    wanted = stored if step.settings.dtype == "auto" else getattr(torch, step.settings.dtype)
    cast(model, torch.float32)
    adapter.load(model, artifact.path)
    step.check_cancelled()
    step.progress(1, 3, what="merge")
    remember(step, base.path, model)  # the base with the adapter beside it: the merged model is to say the same
    merged = adapter.merge(model)
    if lost := rounding(merged, base.path, wanted):
        stored_as = str(wanted).removeprefix("torch.")
        if lost > LOST:
            step.log(
                f"storing the merged model in {stored_as} loses {lost:.1%} of the update by rounding: its changes are smaller than what "
                "the type can tell apart. `dtype: float32` keeps them, and so does the adapter unmerged",
                "warning",
            )
        step.decide(
            f"rounded to {stored_as}",
            f"base and update are added in float32; rounding moves the changed weights by {lost:.1%} of the size of the update "
            "(`dtype: float32` keeps it all)",
        )
    merged = merged.to(wanted)
    step.check_cancelled()
    step.progress(2, 3, what="merge")
    merged.config.dtype = wanted
    merged.save_pretrained(step.output)
    if heads:
        write_heads(step.output, heads, weights)
    write_usage(step.output, *read_usage(artifact.path))
    copy_tokenizer(base, step.output)
    name_ends(step.output)
    step.progress(3, 3, what="merge")
    return Result(meta={"dtype": str(wanted).removeprefix("torch."), "rounding": lost})


def rounding(merged: torch.nn.Module, base: Path, wanted: torch.dtype) -> float:
    """What storing the merged model in a type does to the update: |round(W + U) - (W + U)| / |U| over the matrices that it changes.

    0 where nothing is rounded, or the base's files do not hold the weights under the model's names.
    """
    parameters = {name: parameter.data for name, parameter in merged.named_parameters() if parameter.dtype != wanted}
    update = error = 0.0
    for file in sorted(base.glob("*.safetensors")):
        with safe_open(file, "pt") as tensors:
            for name in parameters.keys() & set(tensors.keys()):
                now, before = parameters[name], tensors.get_tensor(name)
                if before.shape == now.shape and before.is_floating_point():
                    for new, old in zip(now.flatten().split(PIECE), before.flatten().split(PIECE), strict=True):
                        change = float((new - old.float()).square().sum(dtype=torch.float64))
                        update += change
                        error += float((new.to(wanted).float() - new).square().sum(dtype=torch.float64)) if change else 0.0
    return (error / update) ** 0.5 if update else 0.0
