"""lm-eval's task for the step's rows: one of its own by name, one that is written in the settings, or what suits the rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import Cancelled, UserError
from tunesmith_lm_eval.settings import LmEvalSettings

if TYPE_CHECKING:
    from lm_eval.api.task import ConfigurableTask

ASKED, EXAMPLES, NAME = "asked", "examples", "rows"  # names of the two parts of the rows, and of a task without one
_LISTED = "{{question.strip()}}\n{% for c in choices %}{{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[loop.index0]}}. {{c}}\n{% endfor %}Answer:"
#: format of the rows -> the task; of choices as MMLU's
USUAL: dict[str, dict[str, Any]] = {
    "dataset/multiple-choice": {
        "output_type": "multiple_choice", "doc_to_text": _LISTED, "doc_to_target": "right",
        "doc_to_choice": "{{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[:choices | length] | list}}",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    },
    "dataset/chat": {
        "output_type": "generate_until", "doc_to_text": "Question: {{question}}\nAnswer:", "doc_to_target": "{{answer}}",
        "generation_kwargs": {"until": ["\n\n", "Question:"], "max_gen_toks": 128, "do_sample": False},
        "metric_list": [{"metric": "exact_match", "ignore_case": True, "ignore_punctuation": True}],
    },
    "dataset/text": {
        "output_type": "loglikelihood_rolling", "doc_to_text": "", "doc_to_target": "{{text}}",
        "metric_list": [{"metric": name} for name in ("word_perplexity", "byte_perplexity", "bits_per_byte")],
    },
}  # fmt: skip


def task_of(
    settings: LmEvalSettings,
    format: str,
    examples: list[dict[str, Any]],
    asked: list[dict[str, Any]],
    check_cancelled: Callable[[], None] = lambda: None,
) -> ConfigurableTask:
    """The task over these documents.

    Args:
        check_cancelled: called while lm-eval's thousands of files are searched; may raise.

    Raises:
        UserError: TS-EVAL-008 where it is none, or its rows don't have what it reads.
    """
    parts = {ASKED: _table(asked), **({EXAMPLES: _table(examples)} if examples else {})}
    ours = {
        "custom_dataset": lambda **_: parts, "dataset_path": None, "dataset_name": None, "dataset_kwargs": None, "test_split": ASKED,
        "validation_split": None, "training_split": None, "fewshot_split": EXAMPLES if examples else None,
        "fewshot_config": {"sampler": "first_n"} if examples else None, "num_fewshot": len(examples),
    }  # fmt: skip
    try:
        if settings.task and isinstance(settings.task, str):
            return _named(settings.task, ours, check_cancelled)
        return _written(settings.task, format, ours)
    except (UserError, Cancelled):
        raise
    except Exception as error:  # of lm-eval's: whatever it says of a task that is none
        raise UserError(
            "TS-EVAL-008", "lm-eval can't make a task of the setting `task` and these rows", why=f"{type(error).__name__}: {error}"[:400],
            fix=f"Columns of the rows: {', '.join(asked[0])}. A task names them in `doc_to_text`, `doc_to_choice` and `doc_to_target`.",
        ) from error  # fmt: skip


def check_room(task: Any, model: Any) -> None:
    """
    Args:
        model: lm-eval's.

    Raises:
        UserError: TS-EVAL-008 where an answer may be as long as all that the model reads.
    """
    if task.OUTPUT_TYPE != "generate_until":
        return
    most = int((task.config.generation_kwargs or {}).get("max_gen_toks", model.max_gen_toks))
    if most >= model.max_length:
        raise UserError(
            "TS-EVAL-008", f"answers of {most} tokens leave no room for a question in `max_length`, {model.max_length}",
            why="A question and its answer are read together.", fix="Raise `max_length`, or lower the task's `max_gen_toks`.",
        )  # fmt: skip


def _written(task: Any, format: str, ours: Mapping[str, Any]) -> ConfigurableTask:
    from lm_eval.api.task import ConfigurableTask

    given = dict(task) if task else USUAL.get(format)
    if given is None:
        raise UserError("TS-EVAL-008", f"rows of {format} need a task", why="They don't say what is right.",
                        fix="Name a task of lm-eval's, or write one: setting `task`.")  # fmt: skip
    return ConfigurableTask(config={"task": NAME, **given, **ours})


def _named(name: str, ours: Mapping[str, Any], check_cancelled: Callable[[], None]) -> ConfigurableTask:
    from lm_eval.tasks import TaskManager

    folder = _folder_of(name, check_cancelled)
    manager = TaskManager(include_path=folder, include_defaults=folder is None)
    if name not in manager.all_subtasks:
        many = name in manager.all_tasks
        raise UserError(
            "TS-EVAL-008", f"`{name}` is {'a group of tasks' if many else 'no task'} of lm-eval's",
            why="The step's rows are those of one task." if many else "",
            fix="Name one of its tasks, each in a step with its rows." if many else "`lm-eval ls tasks` lists them.",
        )  # fmt: skip
    task: Any = manager._factory.build(manager.task_index[name], overrides=dict(ours), registry=manager.task_index)
    return task  # type: ignore[no-any-return]


def _folder_of(name: str, check_cancelled: Callable[[], None]) -> Path | None:
    """Where lm-eval keeps the task of this name. Its own index reads all files as YAML: 20 s of a processor that nothing can stop."""
    import lm_eval.tasks

    says_so = re.compile(rf"""^["']?task["']?:\s*["']?{re.escape(name)}["']?\s*(#.*)?$""", re.M)
    for path in sorted(Path(lm_eval.tasks.__file__).parent.rglob("*.yaml"), key=Path.as_posix):
        check_cancelled()
        if says_so.search(path.read_text("utf-8", errors="replace")):
            return path.parent
    return None


def _table(rows: list[dict[str, Any]]) -> Any:
    from datasets import Dataset

    return Dataset.from_list(rows)
