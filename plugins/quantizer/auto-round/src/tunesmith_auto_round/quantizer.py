"""The quantizer: AutoRound goes through the layers and trains each one's rounding by the signs of gradients.

W' = s (clip(round(W / s + V), levels)),  V and the ends of the levels by  V <- V - lr sign(dL/dV),  L = || f(W) X - f(W') X' ||^2
(Cheng et al., Optimize Weight Rounding via Signed Gradient Descent for the Quantization of LLMs, 2023, arXiv:2309.05516)
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("AR_LOG_LEVEL", "WARNING")

import torch
import transformers
from auto_round import AutoRound, SignRoundConfig
from auto_round.algorithms.composer import AlgorithmComposer

from tunesmith.contracts import Artifact, Result, Step, TunesmithError
from tunesmith_auto_round.settings import AutoRoundSettings
from tunesmith_models import ModelShape, compute_type, stored_type
from tunesmith_models.group_size import fitting_group_size
from tunesmith_models.model_directory import copy_beside, weights_size
from tunesmith_models.weight_check import load_whole, unloadable
from tunesmith_torch.api.text import calibration_tokens, joined_sequences

LAYOUT = "auto_gptq"  # the library's word for the layout that engines know as GPTQ
OF_THE_RUN = "quantization_config.json"  # says again what config.json says


class AutoRounding:
    def __init__(self, settings: AutoRoundSettings) -> None:
        self.settings = settings

    def quantize(self, model: Artifact, output: Path, calibration: Artifact | None, step: Step) -> Result:
        """Calibrate, train, quantize and save.

        Raises:
            UserError: TS-MODEL-008, -020, -022, -023: the model can't be loaded whole; TS-QUANT-001: the group size does not fit it;
                TS-QUANT-002: no rows.
            TunesmithError: TS-QUANT-005: the library gave up.
        """
        settings = self.settings
        transformers.utils.logging.disable_progress_bar()
        transformers.set_seed(step.seed)
        tokenizer, loaded = self._load(model.path, step)
        config = loaded.config.to_dict()
        group_size = fitting_group_size(ModelShape.from_config(config), settings.group_size)
        rows = calibration_tokens(calibration, tokenizer, count=settings.num_calibration_samples, length=settings.max_seq_length, step=step)
        sequences = joined_sequences(
            rows, min(settings.max_seq_length, int(config.get("max_position_embeddings") or settings.max_seq_length))
        )
        step.check_cancelled()
        os.environ["AR_WORK_SPACE"] = str(step.work / "library")  # else it writes to the current directory
        method = SignRoundConfig(
            bits=settings.bits, group_size=group_size, sym=True, iters=settings.iters, lr=settings.learning_rate or None,
            enable_minmax_tuning=settings.enable_minmax_tuning,
        )  # fmt: skip
        work = AutoRound(
            loaded, tokenizer, scheme=f"W{settings.bits}A16", alg_configs=method, dataset=[_inputs(one) for one in sequences],
            nsamples=len(sequences), seqlen=len(sequences[0]), batch_size=min(settings.batch_size, len(sequences)),
            device_map=step.placement.torch, seed=step.seed, enable_torch_compile=False,
        )  # fmt: skip
        step.check_cancelled()
        loaded.register_forward_pre_hook(lambda *_: step.check_cancelled())  # while it reads the rows
        try:
            with _watched(step):
                _, folders = work.quantize_and_save(str(step.work / "saved"), format=LAYOUT)
        except SystemExit as error:  # the library's way to say that it can't
            raise TunesmithError(
                "TS-QUANT-005", "AutoRound gave up quantizing the model", why="What it says of it stands in the step's log.",
                fix="Use another quantizer for this architecture: `gptq` or `awq`.",
            ) from error  # fmt: skip
        step.check_cancelled()
        for file in Path(folders[0] if isinstance(folders, list) else folders).iterdir():
            shutil.move(file, output / file.name)
        copy_beside(model.path, output)
        (output / OF_THE_RUN).unlink(missing_ok=True)
        before, after = weights_size(model.path), weights_size(output)
        step.log(f"quantized to {settings.bits} bits on {len(rows)} rows: {before / 1e6:.0f} MB -> {after / 1e6:.0f} MB")
        return Result(metrics={"bytes": float(after), "ratio": after / before}, meta={"rows": len(rows), "sequences": len(sequences)})

    def _load(self, path: Path, step: Step) -> tuple[Any, Any]:
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)
            config = transformers.AutoConfig.from_pretrained(path, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise unloadable(path, error) from error
        name, reason = compute_type("auto", stored_type(config.to_dict()), step.placement)
        step.decide(f"computed in {name}", reason)
        return tokenizer, load_whole(transformers.AutoModelForCausalLM.from_pretrained, path, dtype=getattr(torch, name))


def _inputs(ids: list[int]) -> dict[str, torch.Tensor]:
    return {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}


@contextmanager
def _watched(step: Step) -> Iterator[None]:
    """The library tells nobody how far it is: its work on a layer does, and on each batch that a layer computes it can be stopped."""
    original = AlgorithmComposer.compress_block

    def compress_block(self: Any, block: torch.nn.Module, *arguments: Any, block_ctx: Any, **more: Any) -> Any:
        hook = block.register_forward_pre_hook(lambda *_: step.check_cancelled())
        try:
            return original(self, block, *arguments, block_ctx=block_ctx, **more)
        finally:
            hook.remove()
            step.progress(block_ctx.block_index + 1, block_ctx.block_cnt, what="quantizing", unit="layers")

    AlgorithmComposer.compress_block = compress_block
    try:
        yield
    finally:
        AlgorithmComposer.compress_block = original
