"""From the words of the command to a search that is ready to run, or to go on."""

from __future__ import annotations

import glob
import hashlib
import json
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.errors import UserError, shown
from tunesmith.isolation.locks import FileLock
from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith.planning.placement.devices import probe
from tunesmith.planning.plan import Plan
from tunesmith.running.home_permissions import make_home
from tunesmith.running.model_resolver import ModelResolver
from tunesmith_cli.api import Session, load, override
from tunesmith_tune.api import Search, Trial, Value
from tunesmith_tune.budget import Budget, read_budget
from tunesmith_tune.report.page import write_report
from tunesmith_tune.report.result import SearchResult, search_result
from tunesmith_tune.searcher_choice import build_searcher, choose_searcher, searcher_settings
from tunesmith_tune.space_syntax import read_space
from tunesmith_tune.study.loop import SearchLoop
from tunesmith_tune.study.patience import Patience, RowsFile
from tunesmith_tune.study.study import Leg, Study
from tunesmith_tune.trials.best_pipeline import write_best
from tunesmith_tune.trials.metrics import find_followed, find_metric
from tunesmith_tune.trials.pipeline_trials import Measured, PipelineTrials
from tunesmith_tune.trials.planned_space import at_once, check_space

PATIENCE = 12  # trials; 0 for a grid, which ends by itself
SEARCHES = "searches"  # folder of a home


@dataclass
class PreparedSearch:
    """A search, and what it is run with."""

    args: Namespace
    session: Session
    spec: PipelineSpec
    resolve: ModelResolver
    study: Study
    budget: Budget
    plan: Plan
    searcher: str
    searcher_settings: Mapping[str, Any]
    parallel: int
    remarks: tuple[str, ...]

    def with_values(self, values: Mapping[str, Value]) -> PipelineSpec:
        return with_values(self.spec, values)

    @cached_property
    def patience(self) -> int:
        return self.args.patience if self.args.patience is not None else 0 if self.searcher == "grid" else PATIENCE

    def loop(self, tell: Callable[[Leg], None]) -> SearchLoop:
        record = self.session.registry.provider("searcher", self.searcher)
        measured = Measured(tuple(self.args.metric), self.study.search.followed is not None)
        devices = max((step.placement.processes for step in self.plan.steps), default=1)
        trials = PipelineTrials(
            self.session.config, self.session.registry, lambda values: self.session.planned(self.with_values(values), self.resolve),
            measured, RowsFile(self.study.folder), devices,
        )  # fmt: skip
        searcher = build_searcher(record, self.searcher_settings)
        return SearchLoop(self.study, searcher, trials, self.budget, self.parallel, tell, Patience(self.patience))

    def first(self) -> Mapping[str, Value]:
        """The values of the first trial; empty where the searcher has nothing to try."""
        record = self.session.registry.provider("searcher", self.searcher)
        proposal = build_searcher(record, self.searcher_settings).propose(self.study.search, ())
        return proposal.values if proposal else {}

    def finish(self, reason: str) -> SearchResult:
        """The result, its report, and the best pipeline's file."""
        result = search_result(self.study, reason, self.searcher)
        if result.best:
            path = self.spec.base / f"{self.spec.path.stem if self.spec.path else self.spec.name}-tuned.yaml"
            write_best(path, self.with_values(result.best.values), _comment(result, result.best))
            result.pipeline = path
        write_report(result, self.study.folder)
        return result


@contextmanager
def prepared(args: Namespace) -> Iterator[PreparedSearch]:
    """Everything that can be wrong is told here, before the first trial.

    Raises:
        UserError: TS-TUNE-001 to -005 what is wrong with the space, the metric, the budget or the searcher; TS-TUNE-007 where another
            process runs this search.
    """
    spec = load(args.file, args.set)
    space = read_space(args.search)
    if not space:
        raise UserError("TS-TUNE-001", "there is nothing to search", fix="Give at least one --search PATH=SPACE, or --find-lr.")
    if not args.metric:
        raise UserError("TS-TUNE-003", "there is nothing to search by", fix="Give --metric STEP.METRIC: `tune.validation_loss`, say.")
    budget = read_budget(args.budget)
    if args.parallel < 1:
        raise UserError("TS-TUNE-004", f"--parallel {args.parallel} is no count of trials", fix="Give at least 1.")
    session = Session.open(spec.place)
    record = choose_searcher(session.registry, args.searcher, len(args.metric))
    settings = searcher_settings(record, args.searcher_set)
    with ExitStack() as stack:
        resolve = stack.enter_context(session.resolver())
        plan = check_space(space, lambda values: session.planned(with_values(spec, values), resolve))
        metrics = [find_metric(plan, written) for written in args.metric]
        followed = find_followed(plan, metrics[0]) if args.follow == "auto" else None
        search = Search(space, tuple(metric.goal for metric in metrics), args.seed, followed.goal if followed else None)
        facts = _facts(spec, search, record.name, settings, plan)
        make_home(session.config.home, session.config.group)
        folder = _folder(session.config.home / SEARCHES, spec.name, facts, anew=args.new)
        lock = FileLock(folder / "lock")
        if not lock.try_acquire():
            raise UserError("TS-TUNE-007", f"process {lock.holder()} runs this search", fix="Wait for it, or stop it.")
        stack.callback(lock.release)
        study = Study(search, folder)
        stack.callback(study.close)
        study.head(facts)
        free = {name: max((device.free for device in here), default=0) for name, here in probe(session.registry).items()}
        parallel, fewer = at_once(plan, args.parallel, free)
        quiet = "" if followed else f"nothing is measured on the way to {metrics[0].goal.name}, so each trial runs whole"
        remarks = tuple(filter(None, (fewer, quiet)))
        yield PreparedSearch(args, session, spec, resolve, study, budget, plan, record.name, settings, parallel, remarks)


def with_values(spec: PipelineSpec, values: Mapping[str, Value]) -> PipelineSpec:
    """The pipeline with a trial's values."""
    return override(spec, [f"{name}={json.dumps(value)}" for name, value in values.items()])


def _facts(spec: PipelineSpec, search: Search, searcher: str, settings: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """What makes a search this one: another pipeline, other rows, another space are another search."""
    pipeline = {"model": spec.model, "seed": spec.seed, "device": spec.device, "steps": spec.steps}
    files = sorted({source.digest + source.beside for step in plan.steps for source in step.inputs.values() if source.file})
    return json.loads(json.dumps({
        "pipeline": pipeline, "files": files, "searcher": searcher, "settings": settings, "seed": search.seed,
        "space": [asdict(one) for one in search.space], "goals": [asdict(goal) for goal in search.goals],
        "followed": asdict(search.followed) if search.followed else None,
    }, default=dict))  # fmt: skip


def _folder(root: Path, name: str, facts: Mapping[str, Any], *, anew: bool) -> Path:
    """Where the search is written down: the newest of those that are the same; a new one where `anew`, or where there is none."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
    first = root / f"{name}-{digest}"
    numbers = sorted(int(path.suffix[1:]) for path in root.glob(f"{glob.escape(first.name)}.*") if path.suffix[1:].isdecimal())
    if not anew:
        return first.with_name(f"{first.name}.{numbers[-1]}") if numbers else first
    return first if not first.exists() else first.with_name(f"{first.name}.{max(numbers, default=1) + 1}")


def _comment(result: SearchResult, best: Trial) -> list[str]:
    values = ", ".join(f"{name} = {shown(value)}" for name, value in best.values.items())
    scores = ", ".join(f"{goal.name} {score:.6g}" for goal, score in zip(result.search.goals, best.scores, strict=True))
    return [f"The best of {len(result.trials)} trials by `tunesmith tune`: trial {best.number + 1}, {scores}.", f"Found: {values}."]
