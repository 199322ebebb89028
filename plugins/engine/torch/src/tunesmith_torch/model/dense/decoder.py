"""The decoder: modules with transformers' names, and what they compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch.nn import Linear, Module
from torch.utils.checkpoint import checkpoint

from tunesmith_torch.data.packing import Packed, Piece
from tunesmith_torch.model.attention.packed_attention import attend
from tunesmith_torch.model.dense.attention_heads import heads
from tunesmith_torch.model.dense.config import DenseSpec, LayerSpec, Rotary
from tunesmith_torch.model.dense.files import save
from tunesmith_torch.model.dense.fused_linear import added_linear, normed_linear
from tunesmith_torch.model.dense.joint_linear import joint
from tunesmith_torch.model.dense.kv_cache import KeyValueCache, LayerCache
from tunesmith_torch.model.dense.rms_norm import Norm
from tunesmith_torch.model.dense.rotary_embedding import Angles, angles

Pieces = tuple[Piece, ...] | LayerCache  #: how a row is cut, or what its sequences have had so far


class Dense(Module):
    """A causal language model. Its weights are on ``meta``; `loading` fills them."""

    def __init__(self, spec: DenseSpec) -> None:
        super().__init__()
        self.spec = spec
        self.model = _Decoder(spec)
        self.lm_head = _linear(spec.hidden, spec.vocabulary, bias=False)
        self.config = _Config.of(spec)

    @property
    def base_model(self) -> Module:
        return self.model

    def get_input_embeddings(self) -> torch.nn.Embedding:
        return self.model.embed_tokens

    def get_output_embeddings(self) -> Linear:
        return self.lm_head

    def gradient_checkpointing_enable(self, gradient_checkpointing_kwargs: Any = None) -> None:
        """Keep only the layers' inputs for the backward pass. The arguments are transformers'."""
        self.model.checkpointing = True

    def forward(self, input_ids: torch.Tensor, use_cache: bool = False) -> SimpleNamespace:
        """``logits`` (rows, tokens, vocabulary) of rows of one length, as transformers' models give them."""
        rows, length = input_ids.shape
        flat = input_ids.flatten()
        pieces = tuple((start, start + length, -1) for start in range(0, rows * length, length))
        every = torch.arange(rows * length, device=flat.device)
        hidden = self.model(Packed(flat, every % length, pieces, every, flat, ()))
        logits = self.lm_head(hidden).unflatten(0, (rows, length))
        cap = self.spec.logit_softcap
        return SimpleNamespace(logits=torch.tanh(logits / cap) * cap if cap else logits)

    def save_pretrained(self, directory: Path, state_dict: Mapping[str, torch.Tensor] | None = None) -> None:
        """Write the configuration and the weights, or those given, in Hugging Face's layout."""
        save(self, Path(directory), self.state_dict() if state_dict is None else state_dict)

    def states(self, batch: Packed) -> torch.Tensor:
        """(labels + places, hidden): the last hidden states of the tokens whose outputs predict labels, then those of the places."""
        return self.model(batch)

    def cached_states(self, batch: Packed, cache: KeyValueCache) -> torch.Tensor:
        """The same while sequences grow: of the prompts that fill the cache, then of one token for each of its rows."""
        return self.model(batch, cache)


class _Config(SimpleNamespace):
    """The file's entries as attributes; `dtype` as torch's, None where the file names none."""

    @classmethod
    def of(cls, spec: DenseSpec) -> _Config:
        said = str(spec.config.get("dtype") or spec.config.get("torch_dtype") or "")
        return cls(**{**spec.config, "tie_word_embeddings": spec.tied, "dtype": getattr(torch, said, None)})

    def get_text_config(self, decoder: bool = True) -> _Config:
        return self

    def to_dict(self) -> dict[str, Any]:
        return dict(vars(self))


class _Decoder(Module):
    def __init__(self, spec: DenseSpec) -> None:
        super().__init__()
        self.spec, self.checkpointing = spec, False
        self.embed_tokens = torch.nn.Embedding(
            spec.vocabulary, spec.hidden, _weight=torch.empty(spec.vocabulary, spec.hidden, device="meta")
        )
        self.layers = torch.nn.ModuleList(_Layer(spec, layer) for layer in spec.layers)
        self.norm = Norm(spec.hidden, spec.eps, spec.gemma)

    def forward(self, batch: Packed, cache: KeyValueCache | None = None) -> torch.Tensor:
        x = self.embed_tokens(batch.tokens)
        device = batch.tokens.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        if self.spec.gemma:
            x = x * torch.tensor(self.spec.hidden**0.5, dtype=x.dtype, device=x.device)
        turns: dict[Rotary | None, Angles | None] = {None: None}
        last = len(self.layers) - 1
        for at, layer in enumerate(self.layers):
            rotary = layer.of.rotary
            if rotary not in turns:
                turns[rotary] = angles(rotary, batch.positions, dtype)
            rows = batch.rows if at == last else None
            pieces = batch.pieces if cache is None else cache.layers[at]
            if self.checkpointing and torch.is_grad_enabled():
                x = checkpoint(layer, x, turns[rotary], pieces, rows, dtype, use_reentrant=False)
            else:
                x = layer(x, turns[rotary], pieces, rows, dtype)
        return self.norm(x, dtype)


class _Layer(Module):
    def __init__(self, spec: DenseSpec, of: LayerSpec) -> None:
        super().__init__()
        self.spec, self.of = spec, of
        self.self_attn, self.mlp = _Attention(spec), _Gated(spec)
        self.input_layernorm = Norm(spec.hidden, spec.eps, spec.gemma)
        self.post_attention_layernorm = Norm(spec.hidden, spec.eps, spec.gemma)
        if spec.sandwich:
            self.pre_feedforward_layernorm = Norm(spec.hidden, spec.eps, spec.gemma)
            self.post_feedforward_layernorm = Norm(spec.hidden, spec.eps, spec.gemma)

    def forward(
        self, x: torch.Tensor, turn: Angles | None, pieces: Pieces, rows: torch.Tensor | None, dtype: torch.dtype
    ) -> torch.Tensor:  # fmt: skip
        """(tokens, hidden) to the same, or to only the `rows` asked for."""
        attended = self.self_attn(x, self.input_layernorm, turn, pieces, self.of.window, dtype)
        if rows is not None:
            x, attended = x[rows], attended[rows]
        if not self.spec.sandwich:
            x = _out(x, attended, self.self_attn.o_proj, dtype)
            return self.mlp(x, x, self.post_attention_layernorm, dtype)
        x = x + self.post_attention_layernorm(_out(None, attended, self.self_attn.o_proj, dtype), dtype)
        return x + self.post_feedforward_layernorm(self.mlp(None, x, self.pre_feedforward_layernorm, dtype), dtype)


class _Attention(Module):
    def __init__(self, spec: DenseSpec) -> None:
        super().__init__()
        self.spec = spec
        # In transformers' order: in that, an adapter draws what it begins with.
        output = _linear(spec.widths[0], spec.hidden, bias=spec.output_bias)
        if spec.joined:
            self.o_proj = output
            self.qkv_proj = _linear(spec.hidden, sum(spec.widths), bias=spec.qkv_bias)
        else:
            for name, width in zip(("q_proj", "k_proj", "v_proj"), spec.widths, strict=True):
                self.add_module(name, _linear(spec.hidden, width, bias=spec.qkv_bias))
            self.o_proj = output
        if spec.head_norms:
            self.q_norm = Norm(spec.head_size, spec.eps, spec.gemma)
            self.k_norm = Norm(spec.head_size, spec.eps, spec.gemma)

    def forward(
        self, x: torch.Tensor, norm: Norm, turn: Angles | None, pieces: Pieces, window: int | None, dtype: torch.dtype
    ) -> torch.Tensor:  # fmt: skip
        """(tokens, queries): what `o_proj` reads."""
        spec = self.spec
        row = _in(x, norm, [self.qkv_proj] if spec.joined else [self.q_proj, self.k_proj, self.v_proj], dtype)
        if spec.head_norms:
            row = self._normed(row, dtype)
        query, key, value = heads(row, turn, (spec.heads, spec.kv_heads), spec.head_size)
        of = {"scaling": spec.attention_scale, "window": window, "softcap": spec.attention_softcap or None}
        attended = (
            pieces.attend(query, key, value, **of) if isinstance(pieces, LayerCache) else attend(query, key, value, pieces, **of)
        )  # fmt: skip
        return attended[0].flatten(1)

    def _normed(self, row: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        query, key, value = row.split(self.spec.widths, dim=1)
        size = self.spec.head_size
        query, key = self.q_norm(query.unflatten(1, (-1, size)), dtype), self.k_norm(key.unflatten(1, (-1, size)), dtype)
        return torch.cat([query.flatten(1), key.flatten(1), value], dim=1)


class _Gated(Module):
    def __init__(self, spec: DenseSpec) -> None:
        super().__init__()
        self.spec = spec
        if spec.joined:
            self.gate_up_proj = _linear(spec.hidden, 2 * spec.intermediate, bias=spec.mlp_bias)
        else:
            self.gate_proj = _linear(spec.hidden, spec.intermediate, bias=spec.mlp_bias)
            self.up_proj = _linear(spec.hidden, spec.intermediate, bias=spec.mlp_bias)
        self.down_proj = _linear(spec.intermediate, spec.hidden, bias=spec.mlp_bias)

    def forward(self, rest: torch.Tensor | None, x: torch.Tensor, norm: Norm, dtype: torch.dtype) -> torch.Tensor:
        """`rest`, if there is one, and the block's output for `x`."""
        both = _in(x, norm, [self.gate_up_proj] if self.spec.joined else [self.gate_proj, self.up_proj], dtype)
        return _out(rest, both, self.down_proj, dtype, self.spec.activation)


def _in(x: torch.Tensor, norm: Norm, modules: Sequence[Module], dtype: torch.dtype) -> torch.Tensor:
    """The outputs of `modules` for the normalised `x`, side by side."""
    together = joint(modules, dtype)
    if together is not None:
        return normed_linear(x, norm, together)
    normed = norm(x, dtype)
    return torch.cat([_called(module, normed) for module in modules], dim=1)


def _out(rest: torch.Tensor | None, x: torch.Tensor, module: Module, dtype: torch.dtype, activation: str = "") -> torch.Tensor:
    """`rest`, if there is one, and the output of `module` for `x`, gated by `activation` if that is given."""
    alone = joint([module], dtype)
    if alone is not None:
        return added_linear(rest, x, alone, activation)
    inner = _gate(x, activation) if activation else x
    return _called(module, inner) if rest is None else rest + _called(module, inner)


def _called(module: Module, x: torch.Tensor) -> torch.Tensor:
    """(tokens, out): an adapter's layer may count on a dimension of batches."""
    return module(x[None])[0]


def _gate(both: torch.Tensor, activation: str) -> torch.Tensor:
    gate, given = both.chunk(2, dim=1)
    functional = torch.nn.functional
    return (functional.silu(gate) if activation == "silu" else functional.gelu(gate, approximate="tanh")) * given


def _linear(inputs: int, outputs: int, *, bias: bool) -> Linear:
    """A layer without values: to draw some, even on ``meta``, would import a second's worth of torch."""
    layer = Linear.__new__(Linear)
    Module.__init__(layer)
    layer.in_features, layer.out_features = inputs, outputs
    layer.weight = torch.nn.Parameter(torch.empty(outputs, inputs, device="meta"))
    layer.register_parameter("bias", torch.nn.Parameter(torch.empty(outputs, device="meta")) if bias else None)
    return layer
