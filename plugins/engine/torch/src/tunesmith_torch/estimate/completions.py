"""Whether prompts can be answered while training. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import UserError


def check_prompts(prompts: Sequence[str], *, log_probs: bool, outputs: bool) -> None:
    """
    Args:
        log_probs: whether the objective trains which token comes next.
        outputs: whether the strategy's model gives more than log-probabilities of labels.

    Raises:
        UserError: TS-TRAIN-075 when prompts are given and can't be answered, or one is empty.
    """
    if not prompts:
        return
    if not log_probs:
        raise _refusal("the objective trains no next token", "What the model would say is not what is trained.")
    if not outputs:
        raise _refusal("the strategy's model gives no likeliest tokens", "It computes log-probabilities of given tokens only.")
    if not all(prompt.strip() for prompt in prompts):
        raise _refusal("one of them is empty", "There is nothing to answer.")


def _refusal(what: str, why: str) -> UserError:
    fix = "Write each as a text." if "empty" in what else "Leave `sample_prompts` out."
    return UserError("TS-TRAIN-075", f"`sample_prompts` can't be answered: {what}", why=why, fix=fix)
