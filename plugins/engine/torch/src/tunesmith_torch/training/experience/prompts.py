"""Which prompts are sampled from: those that leave room for a whole completion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import Artifact, Step, TunesmithError, UserError
from tunesmith_serve.sampler_client import not_updatable
from tunesmith_torch.api import Objective, Sampling
from tunesmith_torch.data.tokenized_dataset import TokenizedDataset
from tunesmith_torch.data.truncation import TruncatedRows
from tunesmith_torch.estimate.sampler import SAMPLER, another_model

#: settings of `train` that say how rows are judged or prepared, and what they are where they ask for nothing
_OF_ROWS = {"validation_split": 0.0, "precompute_ref_log_probs": False}


def positions(base: Artifact) -> int:
    """How many the model has; 0 where its configuration does not say."""
    config = json.loads((base.path / "config.json").read_text(encoding="utf-8"))
    found = (config.get("text_config") or config).get("max_position_embeddings") or config.get("max_position_embeddings")
    return int(found or 0)


def check_served(base: Artifact, step: Step) -> None:
    """
    Raises:
        UserError: TS-TRAIN-135 for a sampler of another model, TS-TRAIN-133 for one that takes no adapters. No model is loaded yet.
    """
    if SAMPLER not in step.inputs:
        return
    served = step.inputs[SAMPLER].refs.get("model")
    if served is not None and served.digest and base.digest and served.digest != base.digest:
        raise another_model(f"It serves {served.digest[:12]}, and what is trained lies beside {base.digest[:12]}.")
    if "control" not in step.inputs[SAMPLER].meta:
        raise not_updatable(step.sources.get(SAMPLER, SAMPLER))


def check_objective(objective: Objective) -> None:
    """
    Raises:
        TunesmithError: TS-TRAIN-126 for one that asks for samples and can't learn from them.
    """
    sampling = objective.asks.sampling
    asked = ("open", "score", "learn", "close", *(("reset", "reply", "end", "fail") if sampling and sampling.max_turns else ()))
    missing = [name for name in asked if not callable(getattr(objective, name, None))]
    if not missing:
        return
    raise TunesmithError(
        "TS-TRAIN-126",
        f"The objective {type(objective).__name__} asks for completions and has no {' and no '.join(f'`{name}`' for name in missing)}",
        why="`Asks.sampling` says that it learns from what the model writes: then the engine calls these.",
        fix="Give it the methods of `tunesmith_torch.api.LearnsFromExperience` (for several turns, of `Interacts`), or leave `sampling` "
        "out of what it asks for.",
    )  # fmt: skip


def check_settings(settings: Any, inputs: Mapping[str, Any]) -> None:
    """
    Raises:
        UserError: TS-TRAIN-122 for what there is only where rows are learned from.
    """
    asked = [f"`{name}`" for name, usual in _OF_ROWS.items() if getattr(settings, name) != usual]
    asked += ["the input `validation`"] * ("validation" in inputs)
    if asked:
        raise UserError(
            "TS-TRAIN-122", f"{asked[0]} can do nothing where the model learns from its own completions",
            why="It is about completions that stand in a file: here there are none before training.",
            fix="Leave it out; `evaluate` the trained model on prompts that it has not seen.",
        )  # fmt: skip


def prompt_rows(rows: TokenizedDataset, sampling: Sampling, step: Step, *, max_length: int, context: int) -> TruncatedRows:
    """
    Args:
        max_length: of prompt and completion together.
        context: positions that the model has; 0 where its configuration does not say.

    Raises:
        UserError: TS-TRAIN-120 when no prompt leaves room for a completion, or, with ``truncation: error``, when one does not.
    """
    room = min(max_length, context or max_length) - sampling.max_completion_length
    chosen = [at for at in range(len(rows)) if 0 < rows.longest[at] <= room]
    left_out = len(rows) - len(chosen)
    if left_out and (not chosen or step.settings.truncation == "error"):
        raise UserError(
            "TS-TRAIN-120", f"{left_out} of {len(rows)} prompts leave no room for a completion of {sampling.max_completion_length} tokens",
            why=f"Prompt and completion have {room + sampling.max_completion_length} tokens together: the smaller of `max_length` "
            f"({max_length}) and the model's positions ({context or 'not said'}). The longest prompt has {max(rows.longest)}.",
            fix="Lower `max_completion_length`, raise `max_length` up to what the model has, or shorten the prompts.",
        )  # fmt: skip
    if left_out:
        step.log(f"{left_out} of {len(rows)} prompts are longer than {room} tokens and were left out: a prompt is never cut", "warning")
    return TruncatedRows(rows, chosen, [rows.longest[at] for at in chosen], [0] * len(chosen), max_length)
