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
from auto_round import AutoRound, SignRoundConfig
from auto_round.algorithms.composer import AlgorithmComposer

from tunesmith.contracts import Artifact, Result, Step, TunesmithError
from tunesmith_auto_round.estimate import LIBRARY
from tunesmith_auto_round.settings import AutoRoundSettings
from tunesmith_models.group_size import fitting_group_size
from tunesmith_quantization import refuse_experts
from tunesmith_quantization.calibration import calibration_tokens, joined_sequences
from tunesmith_quantization.checkpoint import Checkpoint, quantized

LAYOUT = "auto_gptq"  # the library's word for the layout that engines know as GPTQ
OF_THE_RUN = "quantization_config.json"  # says again what config.json says


class AutoRounding:
    def __init__(self, settings: AutoRoundSettings) -> None:
        self.settings = settings

    def quantize(self, model: Artifact, output: Path, calibration: Artifact | None, step: Step) -> Result:
        """Calibrate, train, quantize and save.

        Raises:
            UserError: TS-MODEL-008, -020, -022, -023: the model can't be loaded whole; TS-QUANT-001: the group size does not fit it;
                TS-QUANT-002: no rows; TS-QUANT-008: it has experts.
            TunesmithError: TS-QUANT-005: the library gave up.
        """
        found = Checkpoint.open(model, step)
        refuse_experts(found.shape, LIBRARY)
        settings = self.settings
        group_size = fitting_group_size(found.shape, settings.group_size)
        loaded = found.load()
        rows = calibration_tokens(
            calibration, found.tokenizer, count=settings.num_calibration_samples, length=settings.max_seq_length, step=step
        )
        longest = int(getattr(found.config.get_text_config(), "max_position_embeddings", 0) or settings.max_seq_length)
        sequences = joined_sequences(rows, min(settings.max_seq_length, longest))
        step.check_cancelled()
        os.environ["AR_WORK_SPACE"] = str(step.work / "library")  # else it writes to the current directory
        method = SignRoundConfig(
            bits=settings.bits, group_size=group_size, sym=True, iters=settings.iters, lr=settings.learning_rate or None,
            enable_minmax_tuning=settings.enable_minmax_tuning,
        )  # fmt: skip
        work = AutoRound(
            loaded, found.tokenizer, scheme=f"W{settings.bits}A16", alg_configs=method, dataset=[_inputs(one) for one in sequences],
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
        (output / OF_THE_RUN).unlink(missing_ok=True)
        return quantized(model, output, step, bits=settings.bits, rows=len(rows), sequences=len(sequences))


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
