"""model/gguf -> model/hf, by transformers' GGUF reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact, Result
from tunesmith.contracts.step import Step
from tunesmith.errors import UserError
from tunesmith_dequantize.gguf_lookup_cache import reading_once
from tunesmith_dequantize.older_transformers import complete_config, complete_tokenizer_config
from tunesmith_dequantize.settings import DequantizeSettings
from tunesmith_models.weight_check import check_report


class Dequantizer:
    """Unpacks the weights, builds the tokenizer from the file's metadata, and writes both as `save_pretrained` does."""

    def __init__(self, settings: DequantizeSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        file = _single_gguf(source.path)
        step.progress(0, 3, what="import transformers")
        model = self._load(file)
        step.check_cancelled()
        step.progress(1, 3, what="write weights")
        # One size of shards whatever the library's default is: the files, and so the digest, follow from it.
        model.save_pretrained(output, max_shard_size="5GB")
        complete_config(output / "config.json")
        step.check_cancelled()
        step.progress(2, 3, what="write tokenizer")
        _tokenizer(file).save_pretrained(output)
        complete_tokenizer_config(output, context=getattr(model.config, "max_position_embeddings", None))
        step.progress(3, 3, what="write tokenizer")
        return Result(metrics={"parameters": float(model.num_parameters())})

    def _load(self, file: Path) -> Any:
        import torch
        from transformers import AutoModelForCausalLM, GgufConfig, __version__
        from transformers.utils import logging

        logging.disable_progress_bar()
        options = {
            "gguf_file": file.name, "quantization_config": GgufConfig(dequantize=True), "dtype": getattr(torch, self.settings.dtype),
            "output_loading_info": True, "ignore_mismatched_sizes": True,  # it then names them: they are refused below
        }  # fmt: skip
        try:
            with reading_once():
                model, report = AutoModelForCausalLM.from_pretrained(file.parent, **options)
        except (ValueError, KeyError, NotImplementedError) as error:
            raise UserError(
                "TS-MODEL-010", f"transformers {__version__} can't read {file.name}.", why=str(error).strip('"'),
                fix="Use the original safetensors checkpoint of the model, or a backend that serves GGUF files as they are.",
            ) from error  # fmt: skip
        check_report(file.parent, report)
        return model


def _tokenizer(file: Path) -> Any:
    # Not AutoTokenizer: it reads the whole file a further time to find the class, and what is saved is the same.
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(file.parent, gguf_file=file.name)


def _single_gguf(folder: Path) -> Path:
    files = sorted(folder.glob("*.gguf"))
    if len(files) == 1:
        return files[0]
    raise UserError(
        "TS-MODEL-010", f"The model lies in {len(files)} GGUF files; one is needed.",
        why="transformers does not read a model that is split.",
        fix="Join the parts with `llama-gguf-split --merge`, or use the original checkpoint.",
    )  # fmt: skip
