"""Encoders (BERT and its like): their classifiers are transformers' own classes as a whole.

What lies between an encoder and the classes is each family's own (a pooler, a dense layer and its activation, a norm), and some of it may
be pre-trained. So where an objective asks for a head that one of transformers' classes has, the model itself is of that class: its head is
all of it but the encoder, and the encoder's pooler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from tunesmith_models.weight_check import load_whole
from tunesmith_torch.api.objective import Head
from tunesmith_torch.data.multimodal.detection import is_encoder
from tunesmith_torch.data.packing import Packed
from tunesmith_torch.transformers_library import quiet

_POOLER = "pooler"
#: How transformers' classes of encoders with a head end, and the automatic class that makes them.
_CLASSES = {"ForSequenceClassification": "AutoModelForSequenceClassification", "ForTokenClassification": "AutoModelForTokenClassification"}


def takes_head(source: Path, heads: tuple[Head, ...]) -> bool:
    """Whether the model in a directory is an encoder of which transformers makes a class with the head that is asked for."""
    return len(heads) == 1 and heads[0].task in _CLASSES and is_encoder(source)


def is_classifier(model: Any) -> bool:
    """Whether it is an encoder with its head, as `load_classifier` makes them."""
    return type(model).__name__.endswith(tuple(_CLASSES))


def load_classifier(source: Path, head: Head, seed: int, dtype: torch.dtype | str = "auto") -> Any:
    """The encoder of a directory with a head. What of the head the files do not hold, or hold in another width, is drawn as
    transformers draws it.

    Raises:
        UserError: as `load_whole`, of the encoder's own weights.
    """
    quiet()
    kind, config = _class_and_config(source, head)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return load_whole(encoder_only(kind.from_pretrained), source, config=config, dtype=dtype)


def empty_classifier(source: Path, head: Head) -> Any:
    """The same without weights, on the device that is the default."""
    quiet()
    kind, config = _class_and_config(source, head)
    return kind.from_config(config, dtype=config.dtype or torch.float32)


def load_trained_classifier(source: Path, dtype: torch.dtype | str = "auto") -> Any:
    """A classifier with every weight from its files.

    Raises:
        UserError: as `load_whole`.
    """
    import transformers

    quiet()
    config = transformers.AutoConfig.from_pretrained(source, trust_remote_code=False, local_files_only=True)
    named = next((kind for ending, kind in _CLASSES.items() if any(name.endswith(ending) for name in config.architectures or ())), "")
    return load_whole(getattr(transformers, named or "AutoModelForSequenceClassification").from_pretrained, source, dtype=dtype)


def encoder_only(load: Callable[..., tuple[Any, Mapping[str, Any]]]) -> Callable[..., tuple[Any, Mapping[str, Any]]]:
    """`load` for `load_whole`: of the weights that the files lack, have too many or in another shape, those of heads are not told. An
    encoder was pre-trained with heads that nobody has a use for later, and its pooler may not have been saved."""

    def loaded(path: Path, **options: Any) -> tuple[Any, Mapping[str, Any]]:
        model, report = load(path, **options)
        told = dict(report)
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            told[kind] = [entry for entry in report[kind] if _of_encoder(model, entry if isinstance(entry, str) else entry[0])]
        if model.base_model is model and any(_POOLER in name.split(".") for name in report["missing_keys"]):
            model.pooler = None  # nobody reads it: what was drawn for it is not to be saved
        return model, told

    return loaded


def head_parts(model: Any) -> dict[str, torch.nn.Module]:
    """The modules that are an encoder's head, by name; none for another model."""
    if not is_classifier(model):
        return {}
    body = model.base_model
    found = {name: module for name, module in model.named_children() if module is not body}
    pooler = getattr(body, _POOLER, None)
    return found | ({f"{model.base_model_prefix}.{_POOLER}": pooler} if pooler is not None else {})


def head_weights(model: Any) -> dict[str, torch.Tensor]:
    """Those of an encoder's head, by their names in the model."""
    return {f"{part}.{name}": value for part, module in head_parts(model).items() for name, value in module.state_dict().items()}


@torch.no_grad()
def put_head(model: Any, weights: Mapping[str, torch.Tensor]) -> None:
    """Saved ones of `head_weights` in their place."""
    for name, value in head_weights(model).items():
        if name in weights:
            value.copy_(weights[name])


def classifier_scores(model: Any, packed: Packed) -> torch.Tensor:
    """(places, width) float32: what the head gives, of each sequence by itself. A head for sequences has one place in each."""
    assert packed.places is not None
    counts, found = packed.place_lengths or (0,), []
    for (start, end, _), places in zip(packed.pieces, packed.places.split(list(counts)), strict=True):
        logits = model(input_ids=packed.tokens[None, start:end]).logits[0].float()
        found.append(logits[places - start] if logits.ndim > 1 else logits[None].expand(len(places), -1))
    return torch.cat(found)


def _class_and_config(source: Path, head: Head) -> tuple[Any, Any]:
    import transformers

    config = transformers.AutoConfig.from_pretrained(source, trust_remote_code=False, local_files_only=True)
    names = list(head.labels) or [f"LABEL_{at}" for at in range(head.width)]
    config.id2label, config.label2id = dict(enumerate(names)), {name: at for at, name in enumerate(names)}
    config.problem_type = head.problem_type or None
    return getattr(transformers, _CLASSES[head.task]), config


def _of_encoder(model: Any, name: str) -> bool:
    """Whether a weight's name, in the files or in the model, is one of the encoder's own."""
    body = {own for own, _ in model.base_model.named_children()} - {_POOLER}
    return name.removeprefix(f"{model.base_model_prefix}.").partition(".")[0] in body
