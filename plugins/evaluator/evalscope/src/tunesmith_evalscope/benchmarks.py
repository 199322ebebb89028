"""EvalScope's benchmark for the step's rows: one of its own by name, or what suits the rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import UserError
from tunesmith_evalscope.records import ANSWERS, CHOICES, USUAL, write_records
from tunesmith_evalscope.results import Asked
from tunesmith_evalscope.settings import EvalScopeSettings

if TYPE_CHECKING:
    from evalscope.api.benchmark import DataAdapter
    from evalscope.api.dataset import Sample
    from evalscope.config import TaskConfig

#: adapters of benchmarks that need more than a model and rows: a sandbox for programs, tools, pictures, a judge by trade
_OTHERS = ("CodeExecutionSandboxMixin", "AgentAdapter", "AgentLoopAdapter", "FunctionCallAdapter", "VisionLanguageAdapter",
           "AudioLanguageAdapter", "BrowserGymAdapter", "ImageEditAdapter", "MultiTurnAdapter", "Text2ImageAdapter")  # fmt: skip


def benchmark_of(settings: EvalScopeSettings, format: str) -> str:
    """
    Raises:
        UserError: TS-EVAL-012 where the rows don't say it, and the settings neither.
    """
    found = settings.benchmark or USUAL.get(format, "")
    if not found:
        raise UserError("TS-EVAL-012", f"rows of {format} need a benchmark", why="They don't say what is right.",
                        fix="Name one of EvalScope's: setting `benchmark`.")  # fmt: skip
    if found == ANSWERS and settings.num_fewshot:
        raise UserError("TS-EVAL-012", f"`{found}` has no form for examples", why=f"`num_fewshot` is {settings.num_fewshot}.",
                        fix="Leave `num_fewshot` at 0, or evaluate with `generation`.")  # fmt: skip
    return found


def dataset_args(
    settings: EvalScopeSettings, name: str, folder: Path, examples: list[dict[str, Any]], asked: list[dict[str, Any]]
) -> dict[str, Any]:
    """What EvalScope is told of the benchmark, whose rows are written to the folder.

    Raises:
        UserError: TS-EVAL-012 where there is no such benchmark, or it needs more than a model and rows.
    """
    known = _benchmark(name)
    if any(cls.__name__ in _OTHERS for cls in type(known).__mro__):
        raise UserError(
            "TS-EVAL-012", f"`{name}` needs more than a model and rows", why="It runs programs, calls tools, or is not about text alone.",
            fix="Name another one; programs are run by the evaluator `pass-at-k`, in a sandbox.",
        )  # fmt: skip
    told: dict[str, Any] = {"local_path": str(folder), "shuffle": False}
    subsets = list(known.subset_list)
    if settings.subset:
        if settings.subset not in subsets:
            raise UserError("TS-EVAL-012", f"`{name}` has no subset `{settings.subset}`", fix=f"It has {', '.join(subsets)}."[:400])
        told["subset_list"] = subsets = [settings.subset]
    elif len(subsets) > 1 and not known.reformat_subset:
        raise UserError("TS-EVAL-012", f"`{name}` has {len(subsets)} subsets", why="The step's rows are those of one.",
                        fix=f"Name it: setting `subset`: {', '.join(subsets)}."[:400])  # fmt: skip
    if known.few_shot_mode == "auto":
        told["few_shot_num"] = settings.num_fewshot
    elif settings.num_fewshot:
        raise UserError("TS-EVAL-012", f"`{name}` takes no examples from rows", why=f"It has {known.few_shot_num} of its own.",
                        fix="Leave `num_fewshot` at 0.")  # fmt: skip
    if template := settings.prompt_template or (_english() if name == CHOICES else ""):
        told["prompt_template"] = template
    if settings.system:
        told["system_prompt"] = settings.system
    if name == ANSWERS:
        told["metric_list"] = ["Rouge"]  # its BLEU needs data of NLTK's, without which it is 0
    parts: dict[str, list[dict[str, Any]]] = {known.eval_split: asked}
    if examples:
        parts[known.train_split or "train"] = examples
    write_records(folder, parts, sorted({*subsets, known.default_subset}))
    return told


def loaded(name: str, config: TaskConfig, rows: int) -> list[Asked]:
    """What EvalScope makes of the rows.

    Raises:
        UserError: TS-EVAL-012 where it can't read them, or leaves some out.
    """
    from evalscope.api.registry import get_benchmark

    try:
        subsets = get_benchmark(name, config).load_dataset()
        found = [_asked(subset, sample) for subset, some in subsets.items() for sample in some]
    except Exception as error:  # of the benchmark's own code: whatever it says of rows that are not its own
        raise UserError(
            "TS-EVAL-012", f"EvalScope's benchmark `{name}` can't read these rows", why=f"{type(error).__name__}: {error}"[:400],
            fix="Give the rows the columns of that benchmark's data: its page in EvalScope's documentation shows one.",
        ) from error  # fmt: skip
    if len(found) != rows:
        raise UserError("TS-EVAL-012", f"EvalScope makes {len(found)} questions of {rows} rows",
                        why=f"The benchmark `{name}` leaves out rows that it can't use, or makes several questions of one.",
                        fix="Leave out the rows that are not its own.")  # fmt: skip
    return found


def _asked(subset: str, sample: Sample) -> Asked:
    turns = [{"role": turn.role, "content": turn.content if isinstance(turn.content, str) else turn.text} for turn in sample.input]
    expected = sample.target if isinstance(sample.target, str) else ", ".join(map(str, sample.target))
    return Asked(subset, int(sample.id), turns, expected)


def _benchmark(name: str) -> DataAdapter:
    from evalscope.api.registry import get_benchmark
    from evalscope.config import TaskConfig

    try:
        return get_benchmark(name, TaskConfig(model="none", datasets=[name]))
    except Exception as error:  # of the benchmark's own code, too: a package that it needs and that is not there
        raise UserError(
            "TS-EVAL-012", f"EvalScope can't give the benchmark `{name}`", why=f"{error}"[:400],
            fix="`evalscope benchmark-info --list` lists its benchmarks; name another one where a package is missing.",
        ) from error  # fmt: skip


def _english() -> str:
    """Of `general_mcq`, whose own template is Chinese."""
    from evalscope.utils.multi_choices import MultipleChoiceTemplate

    return str(MultipleChoiceTemplate.SINGLE_ANSWER)
