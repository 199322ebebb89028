"""The same training by plain transformers and PEFT, as their documentation has it: padded rows, or rows laid end to end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from device import Device
from training import RATE, Trained

IGNORED = -100


def train(
    device: Device, model: Path, batches: Sequence[Sequence[Any]], begun: Mapping[str, torch.Tensor], *, rank: int, alpha: float,
    packed: bool, tokens: int, attention: str = "sdpa",
) -> Trained:  # fmt: skip
    """Args:
    batches: sequences with tokens and labels, a batch each.
    begun: LoRA's A by the name of its layer.
    packed: end to end, with positions that start anew in each; transformers keeps them apart. Else padded to the longest of a pass.
    tokens: of a forward pass at most, padding among them.
    attention: as transformers names it.
    """
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.use_deterministic_algorithms(False)  # a training of ours in this process has set it
    device.forget_peak()
    compute = getattr(torch, device.compute)
    base = AutoModelForCausalLM.from_pretrained(model, dtype=compute, attn_implementation=attention).to(device.torch)
    settings = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
    network = get_peft_model(base, settings).train()
    _begin(network, begun)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0, fused=device.gpu)
    done, last = Trained(), time.perf_counter()
    for batch in batches:
        labels, total = sum(sum(sequence.labels[1:]) for sequence in batch), 0.0
        for rows in passes_of(batch, packed, tokens):
            inputs = _packed(rows) if packed else _padded(rows, network.config.pad_token_id)
            on_device = {name: value.to(device.torch) for name, value in inputs.items()}
            with torch.autocast(device.torch.type, dtype=compute, enabled=compute != torch.float32):
                loss = network(**on_device, use_cache=False, num_items_in_batch=labels).loss
            loss.backward()
            total += float(loss)
        done.norms.append(float(torch.nn.utils.clip_grad_norm_(trained, 1.0)))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        done.losses.append(total)
        now = time.perf_counter()
        done.seconds.append(now - last)
        last = now
    done.peak = device.peak()
    return done


def _begin(network: torch.nn.Module, begun: Mapping[str, torch.Tensor]) -> None:
    """Put the same A into each layer."""
    own = {name.removeprefix("base_model.model."): module for name, module in network.named_modules() if hasattr(module, "lora_A")}
    if own.keys() != begun.keys():
        raise ValueError(f"PEFT adapts other layers: {sorted(own.keys() ^ begun.keys())[:3]}")
    with torch.no_grad():
        for name, module in own.items():
            module.lora_A["default"].weight.copy_(begun[name])


def passes_of(batch: Sequence[Any], packed: bool, tokens: int) -> list[list[Any]]:
    """The rows of each forward pass, in their order: as many as `tokens` hold."""
    passes: list[list[Any]] = []
    for sequence in batch:
        grown = [*passes[-1], sequence] if passes else [sequence]
        lengths = [len(row.tokens) for row in grown]
        if passes and (sum(lengths) if packed else max(lengths) * len(lengths)) <= tokens:
            passes[-1] = grown
        else:
            passes.append([sequence])
    return passes


def _padded(batch: Sequence[Any], padding: int) -> dict[str, torch.Tensor]:
    longest = max(len(sequence.tokens) for sequence in batch)
    rows: dict[str, list[list[int]]] = {"input_ids": [], "labels": [], "attention_mask": []}
    for sequence in batch:
        room = longest - len(sequence.tokens)
        rows["input_ids"].append([*sequence.tokens, *[padding] * room])
        rows["labels"].append([*_labels(sequence), *[IGNORED] * room])
        rows["attention_mask"].append([*[1] * len(sequence.tokens), *[0] * room])
    return {name: torch.tensor(values) for name, values in rows.items()}


def _packed(batch: Sequence[Any]) -> dict[str, torch.Tensor]:
    row: dict[str, list[int]] = {"input_ids": [], "labels": [], "position_ids": []}
    for sequence in batch:
        row["input_ids"] += sequence.tokens
        row["labels"] += [IGNORED, *_labels(sequence)[1:]]  # else the token before it, of another row, would predict it
        row["position_ids"] += range(len(sequence.tokens))
    return {name: torch.tensor([values]) for name, values in row.items()}


def _labels(sequence: Any) -> list[int]:
    return [token if label else IGNORED for token, label in zip(sequence.tokens, sequence.labels, strict=True)]
