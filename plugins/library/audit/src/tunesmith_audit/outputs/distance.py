"""What parent and child expect after each token of the shipped conversations, held against each other. torch is imported when asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith_audit.bounds import Bounds
from tunesmith_audit.outputs.older_transformers import in_dtype, readable
from tunesmith_audit.outputs.prompts import beginning_ids, token_ids
from tunesmith_audit.verdict import Finding, Verdict
from tunesmith_models.weight_check import plain_kernels

DECIDED = 0.1  # by how much the parent's first choice has to be more probable than its second for the child's to be held against it
FEWEST = 20  # decided tokens; of fewer, a share says nothing
LONGEST = 128  # tokens of a conversation


class NotCompared(Exception):
    """Why the two can't be held against each other here, as a clause."""


def tokenizer_of(directory: Path, **options: Any) -> Any:
    """
    Raises:
        NotCompared: there is none that transformers can load.
    """
    from transformers import AutoTokenizer

    directory = base_of(directory) or directory
    try:
        with readable(directory) as folder:
            return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **options)
    except Exception as error:
        raise NotCompared(f"transformers can't load the tokenizer: {_short(error)}") from error


def ids_of(parent: Path, child: Path, prompts: Sequence[str] = (), **options: Any) -> tuple[list[list[int]], Verdict]:
    """The parent's ids of the conversations, and whether the child's are the same.

    Args:
        prompts: the user's, beside the shipped conversations.
        options: for the child's tokenizer.

    Raises:
        NotCompared: the parent has no tokenizer.
    """
    own, other = tokenizer_of(parent), tokenizer_of(child, **options)
    ids, others = token_ids(own, prompts), token_ids(other, prompts)
    apart = [number for number, (one, two) in enumerate(zip(ids, others, strict=True), 1) if one != two]
    begun, begun_there = beginning_ids(own), beginning_ids(other)
    apart += [] if begun == begun_there or len(begun) != len(begun_there) else [1]
    found = tuple(Finding("TS-GATE-001", f"conversation {number} of {len(ids)} has other ids") for number in apart[:1])
    return [one[:LONGEST] for one in ids], Verdict(found, {"prompts": len(ids)})


def log_probs_of(model: Any, ids: Sequence[Sequence[int]], device: str) -> list[Any]:
    """What a causal language model of transformers expects after each token: (tokens, vocabulary) of float32 for each sequence.

    Raises:
        NotCompared: it gives something else than log-probabilities of words.
    """
    import torch

    found, training = [], model.training
    model.eval()
    with torch.no_grad():
        for row in ids:
            output = model(input_ids=torch.tensor([list(row)], device=device))
            logits = getattr(output, "logits", None)
            if logits is None or logits.dim() != 3:
                raise NotCompared("it gives no words")
            found.append(logits[0].float().log_softmax(-1).cpu())
    model.train(training)
    return found


def distance(before: Sequence[Any], after: Sequence[Any], ids: Sequence[Sequence[int]], bounds: Bounds) -> Verdict:
    """
    A beginning that several conversations have, as a template's own system prompt, counts once: it is one context, and few models were
    trained on it.

    Args:
        before, after: as `log_probs_of` gives them, of parent and child.
    """
    import torch

    from tunesmith_audit.outputs.figures import summarized  # numpy

    rows: list[list[float]] = []
    seen: set[tuple[int, ...]] = set()
    for old, new, row in zip(before, after, ids, strict=True):
        width = min(old.shape[-1], new.shape[-1])  # a vocabulary may be padded
        begun = next((length for length in range(len(row), 0, -1) if tuple(row[:length]) in seen), 0)
        seen |= {tuple(row[:length]) for length in range(1, len(row) + 1)}
        # float32's probabilities sum up to 1 but for 1e-8, which alone would be a divergence, of either sign
        old, new = (one[begun:, :width].double().log_softmax(-1) for one in (old, new))
        row = row[begun:]
        best = old.exp().topk(2, dim=-1)
        sure = best.values[:, 0] - best.values[:, 1] >= DECIDED
        following = torch.tensor(list(row[1:]), dtype=torch.long)
        losses = (-float(one[:-1].gather(-1, following[:, None]).sum()) for one in (old, new))
        kl = float((old.exp() * (old - new).clamp(-1e4, 1e4)).sum())
        agree = int((new.argmax(-1) == best.indices[:, 0])[sure].sum())
        rows.append([len(row), kl, int(sure.sum()), agree, len(following), *losses])
    figures = summarized(rows)
    ratio = figures["perplexity_ratio"]
    findings = []
    if not figures["kl"] <= bounds.kl:
        findings.append(f"the divergence is {figures['kl']:.3g} nats a token, at most {bounds.kl:g} is expected")
    if figures["decided"] >= FEWEST and figures["top1"] < bounds.top1:
        findings.append(f"{figures['top1']:.1%} of the next tokens are the parent's, at least {bounds.top1:.0%} are expected")
    # of each place the perplexity hears one token alone, so that of a few hundred it is noise as large as a bound of 16 bits
    surely = figures.get("intervals", {}).get("perplexity_ratio", (ratio,))[0]
    if not min(ratio, surely) <= bounds.perplexity:
        findings.append(f"the perplexity is {ratio:.3g} times the parent's, at most {bounds.perplexity:g} is expected")
    return Verdict(tuple(Finding("TS-GATE-002", what) for what in findings), figures)


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def load(directory: Path, device: str, dtype: Any) -> Any:
    """A model as transformers loads it, for its own format's sake: quantized ones by the library that their config names.

    Raises:
        NotCompared: it can't be loaded here.
    """
    from transformers import AutoModelForCausalLM

    base = base_of(directory)
    if base is not None:
        return _with_adapter(load(base, device, dtype), directory)
    try:
        with readable(directory) as folder:
            model = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, device_map={"": device}, **in_dtype(dtype)
            )
            plain_kernels(model)
            return model
    except Exception as error:
        raise NotCompared(f"transformers can't load {directory.name} here: {_short(error)}") from error


def base_of(directory: Path) -> Path | None:
    """Where the base of an adapter in PEFT's layout lies, if it is one and names a folder that is there."""
    file = directory / "adapter_config.json"
    if not file.is_file():
        return None
    named = Path(str(json.loads(file.read_text("utf-8")).get("base_model_name_or_path", "")))
    return named if named.is_dir() else None


def _with_adapter(model: Any, directory: Path) -> Any:
    try:
        from peft import PeftModel

        return PeftModel.from_pretrained(model, directory)
    except Exception as error:
        raise NotCompared(f"PEFT can't load the adapter: {_short(error)}") from error
