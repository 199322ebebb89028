"""Settings of the evaluator `lm-eval`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import setting

#: parts of a task that say where its rows are, or that are code
_NOT_OURS = ("class", "custom_dataset", "dataset_kwargs", "dataset_name", "dataset_path", "process_docs", "group", "num_fewshot",
             "test_split", "validation_split", "training_split", "fewshot_split")  # fmt: skip
_MODEL = {"call": "lm_eval.models.huggingface:HFLM.__init__"}


@dataclass(frozen=True)
class LmEvalSettings:
    task: Any = setting(
        "", "what is asked of a row and how it is scored: the name of a task of lm-eval's, or what its YAML file would say, as a "
        "mapping; empty: what suits the rows", examples=({"output_type": "multiple_choice", "doc_to_text": "{{question}}",
        "doc_to_choice": "{{choices}}", "doc_to_target": "right"},),
    )  # fmt: skip
    num_fewshot: int = setting(
        0, "the first rows of the data are examples before each question, and are no questions themselves", ge=0, le=64, examples=(2,)
    )
    apply_chat_template: bool = setting(False, "whether questions and examples are turns in the model's chat template")
    max_length: int = setting(
        2048, "longest question with its answer in tokens, examples included; one that is longer is not scored", ge=2, effect=_MODEL,
        aliases=("max_seq_length", "max_seq_len", "cutoff_len"),
    )  # fmt: skip
    batch_size: int = setting(8, "requests in one forward pass; changes speed and memory, not the result", ge=1, effect=_MODEL)
    dtype: str = setting(
        "float32", "dtype to compute in; auto: that of the model's files", choices=("float32", "bfloat16", "auto"), effect=_MODEL,
        aliases=("precision", "torch_dtype"),
    )  # fmt: skip
    max_not_scored: float = setting(
        0.05, "largest share of the questions that may go without a score; beyond it there is no result", ge=0, le=1,
        effect={"call": "tunesmith_statistics:Counts.check"}, examples=(0.0,),
    )  # fmt: skip

    def __post_init__(self) -> None:
        if not isinstance(self.task, (str, Mapping)):
            raise UserError("TS-EVAL-008", "`task` is neither a name nor a mapping", why=f"It is {self.task!r:.80}.", fix=_FIX)
        if found := [name for name in _NOT_OURS if not isinstance(self.task, str) and name in self.task]:
            raise UserError(
                "TS-EVAL-008", f"`task` says `{found[0]}`",
                why="Rows and examples are those of the step's `data`, and a task brings no code.", fix=f"Leave out {', '.join(found)}.",
            )  # fmt: skip


_FIX = "Name a task of lm-eval's, or write what its YAML file would say, without its data."
