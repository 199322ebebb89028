"""What of a model's architecture the engine has to know, found out by trying it rather than from a list of names.

Two short forward passes over packed sequences tell whether they stay apart: the second sequence's outputs must not change by more than
rounding when the first one's tokens do (experts compute other rows beside them then, and sum in another order). A model that fails
(state-space layers, attention of its own) is run one sequence at a time, which is exact for any model. Two more tell whether its head can
be computed apart: it gives the model's own logits, and no token sees the ones after it. For an encoder it can't, which matters to those
alone who ask for log-probabilities.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from typing import Any

import torch

from tunesmith.contracts import TunesmithError
from tunesmith_torch.data.packing import Packed
from tunesmith_torch.model.dense.decoder import Dense
from tunesmith_torch.model.encoder import is_classifier
from tunesmith_torch.model.media_rows import media_trees, tree_states
from tunesmith_torch.model.multimodal import has_modality_encoders

_ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-5}  #: as a share of the largest output; of the shorter types 0.03
_KNOWN: weakref.WeakKeyDictionary[torch.nn.Module, Architecture] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Architecture:
    """How to run a model.

    Args:
        packed: several sequences may share a forward pass.
        reason: why they may not.
        whole: all tokens of a sequence go through, also those after the last that is asked about: the others see them.
        shares_media: images and sounds of a common beginning may be there once; see `model.media_rows`.
        scale, softcap: what happens to the output head's logits: ``softcap * tanh(scale * x / softcap)``; no cap at 0.
        headless: why the engine can't compute log-probabilities of it; empty where it can.
    """

    packed: bool = True
    reason: str = ""
    whole: bool = False
    shares_media: bool = False
    scale: float = 1.0
    softcap: float = 0.0
    headless: str = ""


_CLASSIFIER = Architecture(packed=False, whole=True, reason="its head reads all of a sequence, and its tokens see those after them")


def architecture(model: Any) -> Architecture:
    """What is known of `model`, a causal language model with its output head or without, transformers' or the engine's own; found out at
    the first call."""
    if isinstance(model, Dense):
        return Architecture(softcap=model.spec.logit_softcap)
    if is_classifier(model):
        return _CLASSIFIER
    known = _KNOWN.get(model)
    if known is None:
        was_training = model.training
        model.eval()
        with torch.no_grad():
            known = _probe(model)
        model.train(was_training)
        _KNOWN[model] = known
    return known


def adopt_architecture(model: Any, *, packed: bool) -> None:
    """For a model that could not be tried, since it had no values: what was found out of the same model elsewhere."""
    from tunesmith_torch.model.attention.transformers_attention import NAME

    if isinstance(model, Dense) or model in _KNOWN or is_classifier(model):
        return
    found = _of_head(model.config.get_text_config())
    if packed:
        model.set_attn_implementation({"text_config": NAME} if has_modality_encoders(model) else NAME)
    _KNOWN[model] = found if packed else replace(found, packed=False, reason="it was found so by the first process")


def note_media_sharing(model: Any, *, shares: bool) -> None:
    """What was found out by trying it on a row with media."""
    if not isinstance(model, Dense) and not is_classifier(model):
        _KNOWN[model] = replace(architecture(model), shares_media=shares)


def check_head(model: Any, found: Architecture) -> None:
    """
    Raises:
        TunesmithError: TS-TRAIN-004 where log-probabilities can't be computed of it.
    """
    if found.headless:
        raise TunesmithError(
            "TS-TRAIN-004", f"The engine can't compute the log-probabilities of a {type(model).__name__}", why=found.headless,
            fix="Use a model of another architecture, or a training provider that brings its own loop.",
        )  # fmt: skip


def states(model: Any, packed: Packed, found: Architecture) -> torch.Tensor:
    """(labels + places, hidden): the last hidden states of the tokens whose outputs predict labels, then those of the places."""
    if isinstance(model, Dense):
        return model.states(packed)
    return hidden_states(model, packed, found)[packed.rows]


def hidden_states(model: Any, packed: Packed, found: Architecture) -> torch.Tensor:
    """(tokens, hidden): the decoder's last hidden states. A row with images or sounds goes through in parts that have nothing in common:
    their places and positions are the model's own affair."""
    base = _decoder(model)
    if found.packed and not packed.inputs:
        output = base(
            input_ids=packed.tokens[None], position_ids=packed.positions[None], use_cache=False, packed_pieces=packed.pieces
        )  # fmt: skip
        return output.last_hidden_state[0]
    return torch.cat([tree_states(base, tree) for tree in media_trees(packed)])


def _decoder(model: Any) -> Any:
    """What its head reads the states of; some classes call themselves their own base."""
    base = model.base_model
    return getattr(model, "model", base) if base is model else base


def head_logits(model: Any, hidden: torch.Tensor, found: Architecture) -> torch.Tensor:
    """(tokens, vocabulary) float32: the output head, with what the model does to its logits.

    Raises:
        TunesmithError: TS-TRAIN-004 where that is not known.
    """
    check_head(model, found)
    logits = model.get_output_embeddings()(hidden).float() * found.scale
    return torch.tanh(logits / found.softcap) * found.softcap if found.softcap else logits


def _probe(model: Any) -> Architecture:
    from tunesmith_torch.model.attention.transformers_attention import NAME, Unpackable

    config = model.config.get_text_config()
    found = _of_head(config)
    device = model.get_input_embeddings().weight.device
    limit = min(config.vocab_size, 997)
    first, other, second = ([(3 + step * at) % limit for at in range(6)] for step in (7, 11, 13))
    usual = model.config._attn_implementation
    reason = ""
    foreign = set(getattr(config, "layer_types", None) or ()) - {"full_attention", "sliding_attention"}
    try:
        if foreign:
            raise Unpackable(f"it has layers of {', '.join(sorted(foreign))}")
        # The attention of vision and audio encoders looks both ways: it stays as it is.
        model.set_attn_implementation({"text_config": NAME} if has_modality_encoders(model) else NAME)
        after_first, after_other = (_states(model, sequence + second, device, found)[6:] for sequence in (first, other))
        if (after_first - after_other).abs().max() > _ROUNDING.get(after_first.dtype, 0.03) * after_first.abs().max():
            reason = "in one forward pass its sequences would see one another"
    except (Unpackable, TypeError, AttributeError, ValueError, RuntimeError) as error:
        reason = f"its attention can't be told where sequences begin ({error})"
    if reason:
        model.set_attn_implementation(usual)
        found = replace(found, packed=False, reason=reason)
    twins = torch.tensor([second, [*second[:-1], first[0]]], device=device)
    hidden, others = (_decoder(model)(input_ids=one[None], use_cache=False).last_hidden_state[0] for one in twins)
    if (hidden - others)[:-1].abs().max() > _ROUNDING.get(hidden.dtype, 0.03) * hidden.abs().max():
        return replace(found, whole=True, headless="Its tokens see the ones after them: it is an encoder, and tells no next token.")
    if model.get_output_embeddings() is not None:
        found = replace(found, headless=_headless(model, twins[:1], hidden, found))
    return found


def _of_head(config: Any) -> Architecture:
    scale = float(getattr(config, "logit_scale", None) or 1.0) / float(getattr(config, "logits_scaling", None) or 1.0)
    return Architecture(scale=scale, softcap=float(getattr(config, "final_logit_softcapping", None) or 0.0))


def _states(model: Any, tokens: list[int], device: Any, found: Architecture) -> torch.Tensor:
    flat, positions = torch.tensor(tokens, device=device), torch.arange(6, device=device).repeat(2)
    return hidden_states(model, Packed(flat, positions, ((0, 6, -1), (6, 12, -1)), flat[:0], flat[:0], ()), found)


def _headless(model: Any, tokens: torch.Tensor, hidden: torch.Tensor, found: Architecture) -> str:
    """Why its head can't be computed apart of the last hidden states."""
    own = model(input_ids=tokens, use_cache=False).logits[0].float()
    if (own - head_logits(model, hidden, found)).abs().max() > 0.03 * own.abs().max():
        return "The model does something with its head's output that the engine does not know."
    return ""
