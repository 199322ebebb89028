"""Collections: what the model writes for some prompts, scored, and learned from in a few optimizer steps.

A collection holds `steps_per_generation` batches of prompts, in the order of the rows' `BatchSampler`, and is gone through
`num_iterations` times, with `shuffle` each time in other batches. Each rank samples and scores a share of the prompts; then all read all of
it, so that what is learned from does not depend on how many they are. A run that goes on within a collection finds its rollouts in the
ledger; one that goes on before it samples them again, from the same parameters and the same seeds. What was written ahead
(`Sampling.one_step_off_policy`) has a ledger of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import torch

from tunesmith.contracts import Mesh, Step, TrainerStrategy
from tunesmith_torch.api import AdaptsToExperience, Asks, Group, LearnsFromExperience, Rollout, Sampling, Score
from tunesmith_torch.data.batch_sampler import BatchSampler
from tunesmith_torch.data.tokenized_dataset import group_size
from tunesmith_torch.data.truncation import TruncatedRows
from tunesmith_torch.model.log_probs import LOG_PROBS
from tunesmith_torch.training.batches import Batch
from tunesmith_torch.training.experience.ahead import Ahead
from tunesmith_torch.training.experience.endpoint_sampler import EndpointSampler
from tunesmith_torch.training.experience.episodes import Episodes
from tunesmith_torch.training.experience.groups import experience_groups
from tunesmith_torch.training.experience.log_prob_check import check_log_probs
from tunesmith_torch.training.experience.metrics import batch_metrics
from tunesmith_torch.training.experience.preflight import preflight, without_gradient
from tunesmith_torch.training.experience.rollout_ledger import RolloutLedger, as_json, from_json, short
from tunesmith_torch.training.experience.sampler import Sampler
from tunesmith_torch.training.loss.batch_loss import BatchLoss, Outputs
from tunesmith_torch.training.seed import derived
from tunesmith_torch.training.trainable_model import REFERENCE

Learned = Sequence[Mapping[str, Any] | None]  #: what `learn` gave for a prompt's completions


@dataclass(frozen=True)
class Collection:
    """What was collected, by prompt.

    Args:
        sizes: prompts of each batch.
    """

    number: int
    rollouts: Sequence[Sequence[Rollout]]
    learned: Sequence[Learned]
    sizes: Sequence[int]
    seed: int

    def batch(self, place: int, *, shuffle: bool) -> list[int]:
        """Which prompts the step `place` on it learns from."""
        passes, at = divmod(place, len(self.sizes))
        order = list(range(len(self.rollouts)))
        if shuffle:
            Random(derived("shuffle", self.seed, self.number, passes)).shuffle(order)
        first = sum(self.sizes[:at])
        return order[first : first + self.sizes[at]]


class Collections:
    """The batches of a step that learns from experience (`training.batches.Batches`).

    Args:
        rows: the prompts.
        decode: ids to text; the second argument: without special tokens.
        dtype: in which the model computes.
        episodes: of an objective that `Interacts`.
    """

    def __init__(
        self, step: Step, objective: LearnsFromExperience, sampling: Sampling, rows: TruncatedRows, order: BatchSampler,
        sampler: Sampler | EndpointSampler, decode: Callable[[list[int], bool], str], strategy: TrainerStrategy, mesh: Mesh, dtype: str,
        episodes: Episodes | None = None,
    ) -> None:  # fmt: skip
        self.step, self.objective, self.sampling, self.rows, self.order = step, objective, sampling, rows, order
        self.asks: Asks = objective.asks  # type: ignore[attr-defined]
        self.sampler, self.decode, self.strategy, self.mesh, self.dtype = sampler, decode, strategy, mesh, dtype
        self.episodes = episodes
        self.per_epoch = order.per_epoch * sampling.num_iterations
        self.identity = {"seed": step.seed, "groups": len(rows), "batch_size": order.batch_size, "sampling": repr(sampling)}
        self.ledger = RolloutLedger(step.work, writes=step.placement.rank == 0)
        self.ledgers = {"rollouts": self.ledger}
        self.ahead: Ahead | None = None
        if sampling.one_step_off_policy:
            self.ahead = Ahead(step.work, objective.score, writes=step.placement.rank == 0)
            self.ledgers["ahead"] = self.ahead.ledger
        self.example = example_group(objective, self.asks, rows[0])
        self.batch_loss: BatchLoss | None = None  #: of the loop, which computes the training step's log-probabilities
        self.version = 0
        self._total, self._now = 0, Collection(-1, [], [], [], step.seed)

    def steps(self, epochs: float, max_steps: int) -> int:
        steps = self.order.steps(epochs) * self.sampling.num_iterations
        self._total = min(steps, max_steps) if max_steps else steps
        return self._total

    def batch(self, number: int, state: Mapping[str, torch.Tensor]) -> Batch:
        collection, place = divmod(number, self.sampling.steps)
        if collection != self._now.number:
            self._now = self._found_or_collected(collection, state, within=place > 0)
        chosen = self._now.batch(place, shuffle=self.sampling.shuffle)
        rollouts = [self._now.rollouts[at] for at in chosen]
        parts = self._parts(rollouts, [self._now.learned[at] for at in chosen])
        found = [(group, own[0].row) for groups, own in zip(parts, rollouts, strict=True) for group in groups if self._counts(group)]
        groups = [group for group, _ in found]
        after: Mapping[str, torch.Tensor] = {}
        if isinstance(self.objective, AdaptsToExperience) and place + 1 == self.sampling.steps:
            after = self.objective.adapted(state, self._now.rollouts)
        return Batch(groups, list(map(group_size, groups)), [row for _, row in found], batch_metrics(rollouts), after)

    def _parts(self, rollouts: Sequence[Sequence[Rollout]], learned: Sequence[Learned]) -> list[list[Group]]:
        budget = sys.maxsize if self.sampling.together else self.step.settings.max_tokens_per_microbatch
        return experience_groups(rollouts, learned, heads=bool(self.asks.heads), budget=budget)

    def _counts(self, group: Group) -> bool:
        return self.objective.weight(group) > 0  # type: ignore[attr-defined]

    def _found_or_collected(self, collection: int, state: Mapping[str, torch.Tensor], *, within: bool) -> Collection:
        """
        Args:
            within: whether steps on it were done: then the ledger has it.
        """
        batches = self._batches(collection)
        chosen = [at for batch in batches for at in batch]
        if within:
            groups = self._noted(self.ledger, collection, chosen)
        else:
            groups, dropped = self._collect(collection, chosen)
            self.ledger.note(collection, [rollout for group in groups for rollout in group], dropped)
        if self.ahead is not None:
            self._write_ahead(collection + 1, noted=within)
        return Collection(collection, groups, self.objective.learn(groups, state), list(map(len, batches)), self.step.seed)

    def _batches(self, collection: int) -> list[list[int]]:
        """Its prompts; none of a collection behind the last."""
        count = min(self.sampling.steps_per_generation, self._total - collection * self.sampling.steps)
        return [list(self.order.batch(collection * self.sampling.steps_per_generation + at)) for at in range(count)]

    def _noted(self, ledger: RolloutLedger, collection: int, chosen: Sequence[int]) -> list[list[Rollout]]:
        """By prompt, as a ledger has them."""
        flat = ledger.of(collection, dict(zip(self.rows.numbers(chosen), [self.rows[at].facts for at in chosen], strict=True)))
        size = self.sampling.num_generations
        return [flat[start : start + size] for start in range(0, len(flat), size)]

    def _write_ahead(self, collection: int, *, noted: bool) -> None:
        """Have the model as it is write a collection, unless the ledger has it, and begin to score this rank's share."""
        assert self.ahead is not None
        chosen = [at for batch in self._batches(collection) for at in batch]
        if not chosen:
            return
        places = self._places(chosen)
        if noted:
            found = self._noted(self.ahead.ledger, collection, chosen)
            own = {at: [replace(one, prompt_text=self.decode(list(one.prompt), False)) for one in found[at]] for at in places}
        else:
            self.sampler.update(self.sampling.version(collection))
            written = self._sampled(places, [chosen[at] for at in places], collection, 0)
            own = dict(zip(places, written, strict=True))
            groups, _ = self._exchanged(own, {}, chosen, collection)
            self.ahead.ledger.note(collection, [rollout for group in groups for rollout in group])
        self.ahead.begin(own)

    def _places(self, chosen: Sequence[int]) -> list[int]:
        """This rank's share of a collection's prompts."""
        return list(range(self.mesh.data_rank, len(chosen), self.mesh.data_size))

    def _taken(self, collection: int) -> tuple[dict[int, list[Rollout]], float]:
        """What was written ahead, scored; and the seconds that scoring took."""
        assert self.ahead is not None
        if not self.ahead.begun:
            self._write_ahead(collection, noted=True)
        groups, found, seconds = self.ahead.take()
        scores = iter(found)
        return {at: [replace(one, score=_shortened(next(scores))) for one in group] for at, group in groups.items()}, seconds

    def _collect(self, collection: int, chosen: Sequence[int]) -> tuple[list[list[Rollout]], list[Rollout]]:
        """What is learned from, by prompt, and what was sampled for nothing."""
        places = self._places(chosen)
        if not (self.ahead and collection):
            self.sampler.update(self.sampling.version(collection))
        own, seconds = self._taken(collection) if self.ahead and collection else self._scored(places, chosen, collection)
        dropped = resampled(
            own, lambda again, attempt: self._scored(again, chosen, collection, attempt)[0], self.sampling.max_resamplings
        )  # fmt: skip
        kept = dict(zip(places, self._measured([own[place] for place in places], collection), strict=True))
        groups, rest = self._exchanged(kept, dropped, chosen, collection)
        if not self.ahead:  # which samples again before the next update
            self.sampler.rest()
        if not collection and self.step.placement.rank == 0:
            preflight(self.step, groups, self._score_junk, seconds)
        return groups, rest

    def _scored(
        self, places: Sequence[int], chosen: Sequence[int], collection: int, attempt: int = 0
    ) -> tuple[dict[int, list[Rollout]], float]:  # fmt: skip
        """Completions of the prompts at these places, and the seconds that scoring them took."""
        found = self._sampled(places, [chosen[at] for at in places], collection, attempt)
        started = time.monotonic()
        scores = iter(self.objective.score([rollout for group in found for rollout in group]) if found else [])
        seconds = time.monotonic() - started
        scored = [[replace(rollout, score=_shortened(next(scores))) for rollout in group] for group in found]
        return dict(zip(places, scored, strict=True)), seconds

    def _sampled(self, places: Sequence[int], chosen: Sequence[int], collection: int, attempt: int) -> list[list[Rollout]]:
        if not places:
            return []
        version = self.sampling.version(collection)
        prompts, numbers = [self.rows[at] for at in chosen], self.rows.numbers(chosen)
        self.step.progress(0, 1, what="sample", unit="collections")
        seeds = [(self.step.seed, collection, place, *[attempt] * (attempt > 0)) for place in places]
        if self.episodes is not None:
            played = self.episodes(list(zip(numbers, prompts, strict=True)), seeds, collection, version)
            self._tell_speed(self.episodes, version)
            return [[replace(one, attempt=attempt) for one in group] for group in played]
        tokens = [list(prompt.sequences[0].tokens) for prompt in prompts]
        found = self.sampler(tokens, seeds)
        self._tell_speed(self.sampler, version)
        return [
            [
                Rollout(
                    row, sample, version, prompt, one.tokens, one.log_probs, self.decode(one.tokens, True), one.finished, group.facts,
                    self.decode(prompt, False), attempt=attempt,
                )
                for sample, one in enumerate(completions)
            ]
            for row, prompt, group, completions in zip(numbers, tokens, prompts, found, strict=True)
        ]  # fmt: skip

    def _tell_speed(self, sampled: Sampler | EndpointSampler | Episodes, version: int) -> None:
        if sampled.seconds:
            self.step.metric("sampled_tokens_per_second", sampled.tokens / sampled.seconds, version)

    def _score_junk(self, rollouts: Sequence[Rollout]) -> Sequence[Score]:
        return self.objective.score(self.episodes.with_answers(rollouts) if self.episodes else rollouts)

    def _measured(self, groups: list[list[Rollout]], collection: int) -> list[list[Rollout]]:
        """With what the training step's forward pass gives of them, where that is asked for or several steps are made of a collection; the
        first are compared with the sampler's in any case."""
        assert self.batch_loss is not None
        every = self.sampling.steps > 1 or self.sampling.measured
        if not groups or (collection and not every):
            return groups
        looked = groups if every else groups[:1]
        flat = [group for part in self._parts(looked, [[{}] * len(group) for group in looked]) for group in part]
        rollouts = [rollout for group in looked for rollout in group]
        found = _by_rollout(self.batch_loss.measured(flat, beside=self.sampling.measured), [len(one.log_probs) for one in rollouts])
        if not collection:
            check_log_probs(self.step, rollouts, [own[LOG_PROBS] for own in found], self.dtype, self.sampler.bound(self.dtype))
        if not every:
            return groups
        values = iter(found)
        return [[self._with(rollout, next(values)) for rollout in group] for group in groups]

    def _with(self, rollout: Rollout, values: Mapping[str, list[float]]) -> Rollout:
        heads = {head.name: values[head.name] for head in self.asks.heads if head.name in values}
        return replace(rollout, old=values[LOG_PROBS], reference=values.get(REFERENCE, ()), heads=heads)

    def _exchanged(
        self, kept: Mapping[int, list[Rollout]], dropped: Mapping[int, list[Rollout]], chosen: Sequence[int], collection: int
    ) -> tuple[list[list[Rollout]], list[Rollout]]:
        """All ranks' groups in the order of the prompts, by files that all see; and so what was dropped, on the first rank."""
        if self.mesh.data_size == 1:
            return list(kept.values()), [rollout for _, own in sorted(dropped.items()) for rollout in own]
        folder = self.step.work / "experience"
        folder.mkdir(parents=True, exist_ok=True)
        mine = [{place: list(map(as_json, group)) for place, group in some.items()} for some in (kept, dropped)]
        (folder / f"{collection}-{self.mesh.data_rank}.json").write_text(json.dumps(mine), encoding="utf-8")
        self.strategy.barrier()
        groups: dict[int, list[Rollout]] = {}
        rest: dict[int, list[Rollout]] = {}
        for rank in range(self.mesh.data_size):
            read = json.loads(Path(folder / f"{collection}-{rank}.json").read_text(encoding="utf-8"))
            for found, some in zip((groups, rest), read, strict=True):
                found |= {int(place): self._read(lines, chosen[int(place)]) for place, lines in some.items()}
        self.strategy.barrier()  # all have read it; on the disk it is of no more use, since a run goes on from the ledger or samples again
        (folder / f"{collection}-{self.mesh.data_rank}.json").unlink(missing_ok=True)
        return [groups[place] for place in range(len(chosen))], [rollout for _, own in sorted(rest.items()) for rollout in own]

    def _read(self, lines: Sequence[Mapping[str, Any]], row: int) -> list[Rollout]:
        facts = self.rows[row].facts
        return [replace(from_json(line, facts), prompt_text=self.decode(list(line["prompt"]), False)) for line in lines]


def resampled(
    groups: dict[int, list[Rollout]], again: Callable[[list[int], int], Mapping[int, list[Rollout]]], times: int
) -> dict[int, list[Rollout]]:  # fmt: skip
    """Put other completions in the place of those that give no gradient.

    Args:
        groups: by prompt, scored; they are changed.
        again: prompts, and for the how manieth time -> others of theirs.
        times: how often a prompt is completed anew at most.

    Returns:
        what was dropped, by prompt.
    """
    dropped: dict[int, list[Rollout]] = {}
    for attempt in range(1, times + 1):
        dull = [place for place, group in groups.items() if without_gradient(group)]
        if not dull:
            break
        for place in dull:
            dropped.setdefault(place, []).extend(groups[place])
        groups.update(again(dull, attempt))
    return dropped


def example_group(objective: LearnsFromExperience, asks: Asks, prompt: Group) -> Group:
    """Of two completions of a token each: what an objective is asked of one group can be asked of it."""
    tokens = tuple(prompt.sequences[0].tokens)
    pair = [
        Rollout(
            1, at, 0, tokens, tokens[:1], [0.0], "", True, prompt.facts, score=Score(float(at)), old=[0.0], reference=[0.0],
            heads={head.name: [0.0] for head in asks.heads},
        )
        for at in range(2)
    ]  # fmt: skip
    state = objective.initial_state() if isinstance(objective, AdaptsToExperience) else {}
    return experience_groups([pair], objective.learn([pair], state), heads=bool(asks.heads), budget=10**9)[0][0]


def _by_rollout(outputs: Sequence[Outputs], lengths: Sequence[int]) -> list[dict[str, list[float]]]:
    """Numbers of each token by name, of completions of so many tokens, as they come back from the ledger."""
    found: list[dict[str, list[float]]] = [{} for _ in lengths]
    for name in outputs[0]:
        flat = short([value for output in outputs for value in output[name].tolist()])
        start = 0
        for own, length in zip(found, lengths, strict=True):
            own[name] = flat[start : start + length]
            start += length
    return found


def _shortened(score: Score) -> Score:
    """As it comes back from a file of JSON: plain numbers."""
    parts: Mapping[str, Any] = {name: None if value is None else float(value) for name, value in score.parts.items()}
    return Score(None if score.reward is None else float(score.reward), parts, score.failed)
