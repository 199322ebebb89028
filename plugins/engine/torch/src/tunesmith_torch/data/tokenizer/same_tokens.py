"""Do two models mean the same by a token's number? Asked before their weights are loaded."""

from __future__ import annotations

from tunesmith.contracts import Artifact, UserError
from tunesmith_torch.data.tokenizer.loader import load_tokenizer


def check_same_tokens(base: Artifact, other: Artifact, name: str) -> None:
    """
    Args:
        name: the input that `other` is.

    Raises:
        UserError: TS-TRAIN-110 when the same number is another token: what the models say of it does not compare.
    """
    files = [artifact.path / "tokenizer.json" for artifact in (base, other)]
    if all(file.is_file() for file in files) and files[0].read_bytes() == files[1].read_bytes():
        return
    ours, theirs = (load_tokenizer(artifact).get_vocab() for artifact in (base, other))
    apart = sorted(token for token in ours.keys() | theirs.keys() if ours.get(token) != theirs.get(token))
    if apart:
        raise UserError(
            "TS-TRAIN-110", f"The {name} has another tokenizer than the model that trains",
            why=f"{len(apart)} of {len(ours)} tokens are not the same: {apart[0]!r} is {ours.get(apart[0])} here and "
            f"{theirs.get(apart[0])} there. Log-probabilities of other tokens don't compare.",
            fix=f"Give a {name} of the same family.",
        )  # fmt: skip
