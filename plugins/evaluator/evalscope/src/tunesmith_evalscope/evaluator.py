"""The evaluator `evalscope`: a benchmark of EvalScope's over the step's rows, asked of an endpoint, without another network."""

from __future__ import annotations

import os
import shutil
from typing import Any

from tunesmith.contracts import Artifact, Evaluation, Step, TunesmithError
from tunesmith_evalscope.benchmarks import benchmark_of, dataset_args, loaded
from tunesmith_evalscope.records import records
from tunesmith_evalscope.results import checked_metrics, mend_lines, row_samples
from tunesmith_evalscope.settings import EvalScopeSettings
from tunesmith_generation.api import counted, digest, tell_missing, write_asked
from tunesmith_serve import Endpoint
from tunesmith_statistics import smallest_difference

OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
ID, RETRY_SECONDS = "model", 2  # the name of EvalScope's folder of answers; between two tries


class EvalScope:
    def __init__(self, settings: EvalScopeSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        """
        Raises:
            UserError: TS-DATA-040 without rows, TS-EVAL-012 where the benchmark is none, or can't read them.
            TunesmithError: TS-EVAL-009 where a metric has failed, TS-EVAL-001 where too many rows have no score, TS-SERVE-020 where the
                endpoint can't be reached.
        """
        given = self.settings
        caches = {name: str(step.work / "cache") for name in ("HF_HOME", "HF_DATASETS_CACHE", "MODELSCOPE_CACHE", "EVALSCOPE_CACHE")}
        os.environ.update(OFFLINE, **caches, NO_PROXY=",".join(filter(None, (os.environ.get("NO_PROXY", ""), "localhost,127.0.0.1,::1"))))
        from evalscope.config import TaskConfig
        from evalscope.run import run_task

        name = benchmark_of(given, data.format if data else "")
        examples, asked = records(data, given.num_fewshot, name, given.prompt_template)
        seen = smallest_difference(len(asked))
        step.log(f"{len(asked)} questions: a difference of {100 * seen:.1f} points between two models is seen in 4 of 5 evaluations")
        rows = step.work / "rows"
        shutil.rmtree(rows, ignore_errors=True)
        args = dataset_args(given, name, rows, examples, asked)
        endpoint = Endpoint(subject, timeout=given.timeout, retries=given.max_retries, shorten="max_tokens", model=given.model)
        generation = {"timeout": given.timeout, "retries": given.max_retries + 1, "retry_interval": RETRY_SECONDS}
        config = TaskConfig(
            model=endpoint.model, model_id=ID, api_url=endpoint.url, model_args={"max_retries": 0}, eval_type="openai_api",
            datasets=[name], dataset_args={name: args}, generation_config={**self._sampling(step.seed), **generation},
            eval_batch_size=given.concurrency, seed=step.seed, judge={"strategy": "rule"}, ignore_errors=True, collect_perf=False,
            no_timestamp=True,
        )  # fmt: skip
        questions = loaded(name, config, len(asked))
        bodies = [{"messages": one.turns, **self._sampling(step.seed)} for one in questions]
        write_asked(bodies, step)
        out = step.work / "evalscope" / digest(bodies)[:16]  # answers that are there from before are answers to these questions
        mend_lines(out)
        config.work_dir, config.use_cache, config.rerun_review = str(out), str(out) if out.is_dir() else None, out.is_dir()
        _reach(endpoint)
        run_task(config)
        samples = row_samples(questions, out, name)
        counts = counted(samples)
        tell_missing(samples, step)
        counts.check(given.max_not_scored)
        metrics = checked_metrics(out, name, samples)
        shutil.rmtree(out, ignore_errors=True)  # what was kept for a resume is in the result now
        return Evaluation({**metrics, "smallest_difference": seen, **counts.metrics()}, samples)

    def _sampling(self, seed: int) -> dict[str, Any]:
        told = {"max_tokens": self.settings.max_tokens, "temperature": self.settings.temperature}
        return {**told, "seed": seed} if self.settings.temperature else told


def _reach(endpoint: Endpoint) -> None:
    """Where nobody answers, that is told once, and not of each row as EvalScope does.

    Raises:
        TunesmithError: TS-SERVE-020.
    """
    try:
        endpoint.ask("/models", None)
    except TunesmithError as error:
        if error.code == "TS-SERVE-020":
            raise  # others have answered, if not that they list models
