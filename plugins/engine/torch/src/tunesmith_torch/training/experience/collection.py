"""Collections: what the model writes for some prompts, scored, and learned from in a few optimizer steps.

A collection holds `steps_per_generation` batches of prompts, in the order of the rows' `BatchSampler`, and is gone through
`num_iterations` times. Each rank samples and scores a share of the prompts; then all read all of it, so that what is learned from does not
depend on how many they are. A run that goes on within a collection finds its rollouts in the ledger; one that goes on before it samples
them again, from the same parameters and the same seeds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunesmith.contracts import Mesh, Step, TrainerStrategy
from tunesmith_torch.api import Group, LearnsFromExperience, Rollout, Sampling, Score
from tunesmith_torch.data.batch_sampler import BatchSampler
from tunesmith_torch.data.tokenized_dataset import group_size
from tunesmith_torch.data.truncation import TruncatedRows
from tunesmith_torch.training.batches import Batch
from tunesmith_torch.training.experience.groups import experience_groups
from tunesmith_torch.training.experience.log_prob_check import check_log_probs
from tunesmith_torch.training.experience.metrics import batch_metrics
from tunesmith_torch.training.experience.preflight import preflight
from tunesmith_torch.training.experience.rollout_ledger import RolloutLedger, as_json, from_json
from tunesmith_torch.training.experience.sampler import Sampler
from tunesmith_torch.training.loss.batch_loss import BatchLoss


class Collections:
    """The batches of a step that learns from experience (`training.batches.Batches`).

    Args:
        rows: the prompts.
        decode: ids to text; the second argument: without special tokens.
        dtype: in which the model computes.
    """

    def __init__(
        self, step: Step, objective: LearnsFromExperience, sampling: Sampling, rows: TruncatedRows, order: BatchSampler, sampler: Sampler,
        decode: Callable[[list[int], bool], str], strategy: TrainerStrategy, mesh: Mesh, dtype: str,
    ) -> None:  # fmt: skip
        self.step, self.objective, self.sampling, self.rows, self.order = step, objective, sampling, rows, order
        self.sampler, self.decode, self.strategy, self.mesh, self.dtype = sampler, decode, strategy, mesh, dtype
        self.per_epoch = order.per_epoch * sampling.num_iterations
        self.identity = {"seed": step.seed, "groups": len(rows), "batch_size": order.batch_size, "sampling": repr(sampling)}
        self.ledger = RolloutLedger(step.work, writes=step.placement.rank == 0)
        self.ledgers = {"rollouts": self.ledger}
        self.example = example_group(objective, rows[0])
        self.batch_loss: BatchLoss | None = None  #: of the loop, which computes the training step's log-probabilities
        self.version = 0
        self._total, self._number, self._rollouts = 0, -1, [[]]

    def steps(self, epochs: float, max_steps: int) -> int:
        steps = self.order.steps(epochs) * self.sampling.num_iterations
        self._total = min(steps, max_steps) if max_steps else steps
        return self._total

    def batch(self, number: int) -> Batch:
        collection, place = divmod(number, self.sampling.steps)
        if collection != self._number:
            self._number, self._rollouts = collection, self._found_or_collected(collection, within=place > 0)
        rollouts = self._rollouts[place % self.sampling.steps_per_generation]
        parts = experience_groups(rollouts, self.objective.learn(rollouts), budget=self.step.settings.max_tokens_per_microbatch)
        found = [(group, own[0].row) for groups, own in zip(parts, rollouts, strict=True) for group in groups if self._counts(group)]
        groups = [group for group, _ in found]
        return Batch(groups, list(map(group_size, groups)), [row for _, row in found], batch_metrics(rollouts))

    def _counts(self, group: Group) -> bool:
        return self.objective.weight(group) > 0  # type: ignore[attr-defined]

    def _found_or_collected(self, collection: int, *, within: bool) -> list[list[list[Rollout]]]:
        """By batch, prompt and sample.

        Args:
            within: whether steps on it were done: then the ledger has it.
        """
        first = collection * self.sampling.steps
        count = min(self.sampling.steps_per_generation, self._total - first)
        batches = [self.order.batch(collection * self.sampling.steps_per_generation + at) for at in range(count)]
        chosen = [at for batch in batches for at in batch]
        if within:
            flat = self.ledger.of(collection, dict(zip(self.rows.numbers(chosen), [self.rows[at].facts for at in chosen], strict=True)))
        else:
            flat = self._collect(collection, chosen, first)
            self.ledger.note(collection, flat)
        size = self.sampling.num_generations
        groups = iter([flat[start : start + size] for start in range(0, len(flat), size)])
        return [[next(groups) for _ in batch] for batch in batches]

    def _collect(self, collection: int, chosen: Sequence[int], version: int) -> list[Rollout]:
        places = range(self.mesh.data_rank, len(chosen), self.mesh.data_size)
        own = self._sampled(places, [chosen[at] for at in places], collection, version)
        started = time.monotonic()
        scores = self.objective.score([rollout for group in own for rollout in group])
        seconds = time.monotonic() - started
        flat = iter(scores)
        own = self._with_old([[replace(rollout, score=_shortened(next(flat))) for rollout in group] for group in own], collection)
        groups = self._exchanged(own, list(places), chosen, collection)
        if not collection and self.step.placement.rank == 0:
            preflight(self.step, groups, self.objective.score, seconds)
        return [rollout for group in groups for rollout in group]

    def _sampled(self, places: Sequence[int], chosen: Sequence[int], collection: int, version: int) -> list[list[Rollout]]:
        prompts, numbers = [self.rows[at] for at in chosen], self.rows.numbers(chosen)
        tokens = [list(prompt.sequences[0].tokens) for prompt in prompts]
        self.step.progress(0, 1, what="sample", unit="collections")
        found = self.sampler(tokens, [(self.step.seed, collection, place) for place in places])
        if self.sampler.seconds:
            self.step.metric("sampled_tokens_per_second", self.sampler.tokens / self.sampler.seconds, version)
        return [
            [
                Rollout(
                    row, sample, version, prompt, one.tokens, one.log_probs, self.decode(one.tokens, True), one.finished, group.facts,
                    self.decode(prompt, False),
                )
                for sample, one in enumerate(completions)
            ]
            for row, prompt, group, completions in zip(numbers, tokens, prompts, found, strict=True)
        ]  # fmt: skip

    def _with_old(self, groups: list[list[Rollout]], collection: int) -> list[list[Rollout]]:
        """With the training step's log-probabilities where several steps are made of a collection; the first are compared in any case."""
        assert self.batch_loss is not None
        several = self.sampling.steps > 1
        if not groups or (collection and not several):
            return groups
        looked = groups if several else groups[:1]
        parts = experience_groups(looked, [[{}] * len(group) for group in looked], budget=self.step.settings.max_tokens_per_microbatch)
        values = self.batch_loss.log_probs([group for part in parts for group in part])
        flat = [value for tensor in values for value in tensor.tolist()]
        old: list[list[float]] = []
        for rollout in (rollout for group in looked for rollout in group):
            old.append(flat[: len(rollout.completion)])
            flat = flat[len(rollout.completion) :]
        if not collection:
            check_log_probs(self.step, [rollout for group in looked for rollout in group], old, self.sampling, self.dtype)
        if not several:
            return groups
        own = iter(old)
        return [[replace(rollout, old=next(own)) for rollout in group] for group in groups]

    def _exchanged(
        self, own: list[list[Rollout]], places: Sequence[int], chosen: Sequence[int], collection: int
    ) -> list[list[Rollout]]:  # fmt: skip
        """All ranks' groups in the order of the prompts, by files that all see."""
        if self.mesh.data_size == 1:
            return own
        folder = self.step.work / "experience"
        folder.mkdir(parents=True, exist_ok=True)
        mine = {place: [as_json(rollout) for rollout in group] for place, group in zip(places, own, strict=True)}
        (folder / f"{collection}-{self.mesh.data_rank}.json").write_text(json.dumps(mine), encoding="utf-8")
        self.strategy.barrier()
        groups: dict[int, list[Rollout]] = {}
        for rank in range(self.mesh.data_size):
            read = json.loads(Path(folder / f"{collection}-{rank}.json").read_text(encoding="utf-8"))
            for place, lines in read.items():
                prompt = self.rows[chosen[int(place)]]
                text = self.decode(list(prompt.sequences[0].tokens), False)
                groups[int(place)] = [replace(from_json(line, prompt.facts), prompt_text=text) for line in lines]
        self.strategy.barrier()
        return [groups[place] for place in range(len(chosen))]


def example_group(objective: LearnsFromExperience, prompt: Group) -> Group:
    """Of two completions of a token each: what an objective is asked of one group can be asked of it."""
    tokens = tuple(prompt.sequences[0].tokens)
    pair = [
        Rollout(1, at, 0, tokens, tokens[:1], [0.0], "", True, prompt.facts, score=Score(float(at)), old=[0.0]) for at in range(2)
    ]  # fmt: skip
    return experience_groups([pair], objective.learn([pair]), budget=10**9)[0][0]


def _shortened(score: Score) -> Score:
    """As it comes back from a file of JSON: plain numbers."""
    parts: Mapping[str, Any] = {name: None if value is None else float(value) for name, value in score.parts.items()}
    return Score(None if score.reward is None else float(score.reward), parts, score.failed)
