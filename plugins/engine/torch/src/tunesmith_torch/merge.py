"""The verb `merge`: an adapter folded into its base model."""

from __future__ import annotations

import torch

from tunesmith.contracts import Result, Step, TunesmithError
from tunesmith_torch.conversation.end_tokens import name_ends
from tunesmith_torch.models import copy_tokenizer, load_base
from tunesmith_torch.policy import cast


def run(step: Step) -> Result:
    """Load the base, put the adapter on it, fold it in, save a plain model with the base's tokenizer.

    The folding is done in float32 whatever is stored, so that only the result is rounded.
    """
    artifact = step.inputs["model"]
    base = artifact.refs.get("base")
    if base is None:
        raise TunesmithError(
            "TS-TRAIN-007", "The adapter does not say which base model it belongs to, so it can't be merged",
            fix="Train it with Tunesmith, or import it together with its base model.",
        )  # fmt: skip
    step.progress(0, 3, what="merge")
    adapter = step.provider("adapter")
    model = load_base(base, adapter)
    stored = next(p.dtype for p in model.parameters() if p.is_floating_point())
    wanted = stored if step.settings.dtype == "auto" else getattr(torch, step.settings.dtype)
    cast(model, torch.float32)
    adapter.load(model, artifact.path)
    step.check_cancelled()
    step.progress(1, 3, what="merge")
    merged = adapter.merge(model).to(wanted)
    step.check_cancelled()
    step.progress(2, 3, what="merge")
    merged.config.dtype = wanted
    merged.save_pretrained(step.output)
    copy_tokenizer(base, step.output)
    name_ends(step.output)
    step.progress(3, 3, what="merge")
    return Result(meta={"dtype": str(wanted).removeprefix("torch.")})
