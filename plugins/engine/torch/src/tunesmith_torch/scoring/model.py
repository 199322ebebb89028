"""A model that scores, classifies or embeds, loaded and run as it was trained."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from tunesmith.contracts import Artifact, UserError
from tunesmith.contracts.artifacts import role_of
from tunesmith_models.weight_check import load_whole
from tunesmith_torch.api.objective import Head, TokenSequence
from tunesmith_torch.data.multimodal.detection import encoder_positions, encodes
from tunesmith_torch.data.packing import Wanted, pack
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder
from tunesmith_torch.model.architecture import architecture
from tunesmith_torch.model.encoder import load_trained_classifier
from tunesmith_torch.model.heads import Heads
from tunesmith_torch.model.loader import load_model
from tunesmith_torch.model.outputs import HIDDEN, of_head, outputs
from tunesmith_torch.model.usage_files import read_usage
from tunesmith_torch.transformers_library import quiet

SCORE = "score"  #: the head, as transformers' classifiers of causal models name it


@dataclass(frozen=True)
class ScoringModel:
    """
    Args:
        model: transformers' without an output head, in evaluation mode; an encoder with its own.
        chat: how its input becomes tokens.
        heads: on its last hidden states; none for an encoder, or one that embeds.
        role: ``reward``, ``classify`` ...
        width: numbers that it gives at a place.
        labels: what the head's numbers are about.
        problem_type: of a classifier, as transformers calls it; empty: one class.
        usage: what the objective noted that made it (see `Asks.usage`).
    """

    model: Any
    chat: Any
    heads: Heads
    role: str
    width: int = 0
    labels: tuple[str, ...] = ()
    problem_type: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hidden_size(self) -> int:
        return int(self.model.config.get_text_config().hidden_size)

    @property
    def positions(self) -> int:
        """Longest sequence that the model was made for; 0 where its configuration does not say."""
        config = self.model.config.get_text_config()
        return encoder_positions(config.to_dict()) or int(getattr(config, "max_position_embeddings", None) or 0)

    @torch.inference_mode()
    def scores(self, sequences: Sequence[TokenSequence]) -> list[torch.Tensor]:
        """What the head says: (places, width) float32 of each sequence."""
        return self._run(sequences, Wanted(log_probs=False, heads=(Head(SCORE, self.width),)), of_head(SCORE))

    @torch.inference_mode()
    def hidden_states(self, sequences: Sequence[TokenSequence]) -> list[torch.Tensor]:
        """What a head would read: (places, hidden) float32 of each sequence."""
        return self._run(sequences, Wanted(log_probs=False, hidden=True), HIDDEN)

    @torch.inference_mode()
    def embeddings(self, sequences: Sequence[TokenSequence]) -> torch.Tensor:
        """(sequences, hidden) float32: the mean of the hidden states at each sequence's places, of length 1."""
        found = [states.mean(0) for states in self.hidden_states(sequences)]
        return torch.nn.functional.normalize(torch.stack(found), dim=-1)

    def _run(self, sequences: Sequence[TokenSequence], wanted: Wanted, name: str) -> list[torch.Tensor]:
        found = architecture(self.model)
        packed = pack(
            sequences, self.model.device, share=found.packed, wanted=wanted, inputs_of=self.chat.inputs_of(self.model), whole=found.whole
        )  # fmt: skip
        return list(outputs(self.model, packed, self.heads)[name].split(list(packed.place_lengths)))


def load_scoring_model(source: Artifact, device: torch.device | str = "cpu", dtype: str = "auto") -> ScoringModel:
    """The model of an artifact with a role.

    Raises:
        UserError: TS-MODEL-024 for one whose files have no head as causal models have; those of `load_whole`.
    """
    from transformers import AutoModel

    quiet()
    directory = Path(source.path)
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    said, usage = read_usage(directory)
    role = role_of(source.format) or said
    weights = _head_weights(directory)
    kept = dtype if dtype == "auto" else getattr(torch, dtype)
    names = config.get("id2label") or {}
    told = str(config.get("problem_type") or "")
    if encodes(config):
        encoder = load_model(directory, device, kept) if role == "embed" else load_trained_classifier(directory, kept).to(device)
        width = 0 if role == "embed" else int(encoder.config.num_labels)
        labels = tuple(str(names.get(str(at), at)) for at in range(width))
        return ScoringModel(encoder.eval().requires_grad_(False), chat_encoder(source), Heads(), role, width, labels, told, usage)
    if role != "embed" and f"{SCORE}.weight" not in weights:
        raise UserError(
            "TS-MODEL-024", f"The model {directory.name} has the role `{role}`, and no linear layer `{SCORE}` in its files",
            why="The scores of a causal model are what that layer makes of its last hidden states.",
            fix="Use a model that one of the objectives here has trained, or one of transformers' classifiers of causal models.",
        )  # fmt: skip

    def load(path: Path, **options: Any) -> tuple[Any, Mapping[str, Any]]:
        model, report = AutoModel.from_pretrained(path, **options)
        beside = {name for name in report["unexpected_keys"] if name.split(".")[-2] in (SCORE, "lm_head")}
        return model, {**report, "unexpected_keys": set(report["unexpected_keys"]) - beside}

    model = load_whole(load, directory, dtype=kept).to(device).eval().requires_grad_(False)
    heads = Heads()
    if role != "embed":
        width, hidden = weights[f"{SCORE}.weight"].shape
        heads[SCORE] = torch.nn.Linear(hidden, width, bias=f"{SCORE}.bias" in weights)
        heads.put(weights)
        heads.to(device).eval().requires_grad_(False)
    width = heads[SCORE].out_features if len(heads) else 0
    labels = tuple(str(names.get(str(at), at)) for at in range(width))
    return ScoringModel(model, chat_encoder(source), heads, role, width, labels, told, usage)


def _head_weights(directory: Path) -> dict[str, torch.Tensor]:
    found = {}
    for file in sorted(directory.glob("*.safetensors")):
        with safe_open(file, "pt") as tensors:
            found |= {name: tensors.get_tensor(name).float() for name in tensors.keys() if name.startswith(f"{SCORE}.")}  # noqa: SIM118
    return found
