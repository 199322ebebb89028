"""Experience: what an objective learns from where that is collected while training runs. Rows of a file are its static form.

An objective whose `Asks` name a `Sampling` encodes a row as its prompt alone, without labels. Before each collection's first optimizer
step the engine has the model complete the prompts, as it is then; the objective scores the completions (`LearnsFromExperience.score`) and
says what each is learned from with (`learn`). The engine owns everything else: which prompts, which seeds, the ranks' shares,
micro-batches, checkpoints within a collection and the ledger of rollouts. So the objective stays a function, and its loss is that of any
other: of groups, here of completions of one prompt, with the facts that `learn` gave each of them in ``Group.facts["completions"]``.

Its heads (`Asks.heads`) are on the hidden states before each token of a completion: those that also predict the token. What they, the
reference and the model itself give for a completion before the collection's first step is in the `Rollout` where `Sampling.measured` asks
for it. What an objective adapts from collection to collection is its state (`AdaptsToExperience`).

What is trained on are the tokens that were sampled: text is never tokenized again. Of an episode of several turns (`Interacts`) these are
the model's own: what the environment answers is read, and is no label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from tunesmith.contracts import Artifact, UserError

COMPLETIONS = "completions"  #: of a group's facts: what `learn` gave for each of its sequences


@dataclass(frozen=True)
class Sampling:
    """How completions are drawn, and how often each is learned from.

    Args:
        num_generations: completions of each prompt.
        max_completion_length: longest in tokens; a longer one is truncated there.
        temperature: logits are divided by it, in sampling and in every log-probability of the training step. Above 0.
        top_p, top_k, min_p: which tokens may be drawn; 1, 0 and 0 for all, as a loss needs that weighs tokens by ratios: log-probabilities
            are of all tokens.
        stop: texts after which a completion is over, beside the model's end tokens.
        num_iterations: passes over a collection.
        steps_per_generation: batches of prompts that a collection has: `batch_size` is the prompts of an optimizer step.
        max_resamplings: times that a prompt is completed anew while all its completions that are scored have the same reward (the dynamic
            sampling of DAPO, arXiv:2503.14476, but of the same prompt); what comes of the last time is learned from.
        together: those of a prompt's completions that are learned from are one group, because the loss compares them, however many tokens
            they have; otherwise a group is at most what `max_tokens_per_microbatch` says.
        shuffle: each pass divides a collection's prompts into batches anew.
        one_step_off_policy: a collection is written by the model as it was when it began to learn from the one before, and scored while it
            learns from that: `LearnsFromExperience.score` runs beside the optimizer steps. The first two are written by the same model.
        max_turns: answers of the model in an episode, of an objective that `Interacts`; 0: a completion is one answer, and nobody replies.
            `max_completion_length` is of all turns then, replies included.
        measured: log-probabilities by the model and by the reference (with `Asks.reference`) and the heads' numbers are in each `Rollout`,
            as they were before the collection's first step. A loss is given no reference then.
    """

    num_generations: int = 8
    max_completion_length: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    stop: tuple[str, ...] = ()
    num_iterations: int = 1
    steps_per_generation: int = 1
    max_resamplings: int = 0
    together: bool = False
    shuffle: bool = False
    measured: bool = False
    one_step_off_policy: bool = False
    max_turns: int = 0

    @property
    def steps(self) -> int:
        """Optimizer steps on a collection."""
        return self.num_iterations * self.steps_per_generation

    def check_whole(self) -> None:
        """For a step whose completions an endpoint writes.

        Raises:
            UserError: TS-TRAIN-134 where only some tokens may be drawn.
        """
        cut = [name for name, usual in (("top_p", 1.0), ("top_k", 0), ("min_p", 0.0)) if getattr(self, name) != usual]
        if cut:
            raise UserError(
                "TS-TRAIN-134", f"`{cut[0]}` can't be used with a `sampler`",
                why="An engine tells log-probabilities of what it kept to draw from, and the training step's are of all tokens: the two "
                "could not be compared, nor corrected.",
                fix=f"Leave `{cut[0]}` out and lower `temperature` instead, or leave `sampler` out.",
            )  # fmt: skip

    def goes_on(self, turn: int) -> bool:
        """Whether the model may answer again after so many turns of an episode."""
        return turn < self.max_turns

    def version(self, collection: int) -> int:
        """Optimizer steps that the model has made that writes a collection, from 0."""
        return max(collection - self.one_step_off_policy, 0) * self.steps


@dataclass(frozen=True)
class Score:
    """What a completion is worth.

    Args:
        reward: the number to learn from; None for one that could not be scored, which is not 0: it is not learned from.
        parts: each reward's own, before weights; None where that one could not score.
        failed: whether a reward raised, hung or gave no number, which is another thing than having nothing to say.
    """

    reward: float | None
    parts: Mapping[str, float | None] = field(default_factory=dict)
    failed: bool = False


@dataclass(frozen=True)
class Turn:
    """An answer of the model in an episode.

    Args:
        start, stop: where its tokens stand in the completion; those between two turns are what the model read.
        text: of it, without special tokens.
        messages: what the environment replied; empty at the end.
        reward: that the environment added for it; None: it said nothing.
    """

    start: int
    stop: int
    text: str
    messages: Sequence[Mapping[str, Any]] = ()
    reward: float | None = None


@dataclass(frozen=True)
class Rollout:
    """A completion of a prompt.

    Args:
        row: number of the prompt's row in the data, from 1.
        sample: which completion of the prompt, from 0.
        version: optimizer steps that the model had made that wrote it.
        prompt, completion: token ids; an end token is part of the completion. Of an episode, all from the first answer to the last.
        log_probs: of each token that the model wrote by the sampler, at the run's temperature, over all tokens.
        text: the completion without special tokens; of an episode, its last answer.
        finished: it ended by itself; False for one that was truncated, or broken off.
        facts: of the prompt's group, as `Objective.encode` gave them.
        prompt_text: the prompt as the model reads it, with special tokens.
        score: None before it was scored.
        old: log-probabilities by the training step's own forward pass before the collection's first step; empty where the collection has
            one step only, at which they are the model's own, and nothing is measured. They are another model's than `log_probs` with
            `Sampling.one_step_off_policy`.
        attempt: how often the prompt was completed before, for nothing (`Sampling.max_resamplings`).
        reference: the same by the reference, where it is measured.
        heads: where they are measured, what each head of one number gives before each token that the model wrote, by name.
        turns: of an episode; empty where nobody replies.
        failure: why its environment has failed; it has no reward then. Empty: it has not.
    """

    row: int
    sample: int
    version: int
    prompt: Sequence[int]
    completion: Sequence[int]
    log_probs: Sequence[float]
    text: str
    finished: bool
    facts: Mapping[str, Any] = field(default_factory=dict)
    prompt_text: str = ""
    score: Score | None = None
    old: Sequence[float] = ()
    attempt: int = 0
    reference: Sequence[float] = ()
    heads: Mapping[str, Sequence[float]] = field(default_factory=dict)
    turns: Sequence[Turn] = ()
    failure: str = ""

    @property
    def reward(self) -> float | None:
        """Of its score."""
        return None if self.score is None else self.score.reward

    @property
    def written(self) -> list[bool]:
        """Of each token of the completion, whether the model wrote it."""
        found = [not self.turns] * len(self.completion)
        for turn in self.turns:
            found[turn.start : turn.stop] = [True] * (turn.stop - turn.start)
        return found


@dataclass(frozen=True)
class Reply:
    """What an environment says at the beginning of an episode, after an answer, and when the episode is broken off.

    Args:
        messages: what the model reads next, as chat templates take it: `role`, and `content` as text.
        tools: that it may call, at the beginning.
        reward: that is added to the episode's; None: it says nothing.
        done: the episode is over.
        failure: why it has failed; the episode is over then, and is not scored.
    """

    messages: Sequence[Mapping[str, Any]] = ()
    tools: Sequence[Mapping[str, Any]] = ()
    reward: float | None = None
    done: bool = False
    failure: str = ""


@runtime_checkable
class LearnsFromExperience(Protocol):
    """An objective that asks for samples."""

    def open(self, inputs: Mapping[str, Artifact]) -> None:
        """Training begins; no model is loaded yet.

        Args:
            inputs: of the step by name; ``reward_model`` where it has one.

        Raises:
            UserError: what it scores with is not there, or can't be made.
        """

    def score(self, rollouts: Sequence[Rollout]) -> Sequence[Score]:
        """As many scores. Called by each rank for its share of a collection, one call after the other, and with
        `Sampling.one_step_off_policy` in another thread than losses are; the same rollouts give the same.

        Raises:
            UserError: too many could not be scored.
        """

    def learn(self, rollouts: Sequence[Sequence[Rollout]], state: Mapping[str, Any]) -> Sequence[Sequence[Mapping[str, Any] | None]]:
        """For each completion of each prompt of a collection, what the loss needs to know of it, as JSON values; None for one that is not
        learned from. A function of its arguments: every rank computes it of the whole collection.

        Args:
            state: of the objective, see `AdaptsToExperience`; empty for one that has none.
        """

    def close(self) -> None:
        """Training is over, or has failed: end what scores."""


@runtime_checkable
class Interacts(Protocol):
    """An objective that asks for episodes of several turns (`Sampling.max_turns`): something replies to the model's answers. Its `score` is
    given the rollouts with their `turns`, and what the environment gave for each. Called between optimizer steps, by each rank for its
    share of a collection."""

    def reset(self, tasks: Sequence[tuple[Mapping[str, Any], int]]) -> Mapping[int, Reply]:
        """Begin episodes.

        Args:
            tasks: of each, the facts of its prompt's group and a seed, which is the same for all episodes of a prompt in a collection.

        Returns:
            a number for each episode -> its opening, in the order of the tasks.

        Raises:
            UserError: too many have failed. So does every other method.
        """

    def reply(self, answers: Mapping[int, str]) -> Mapping[int, Reply]:
        """What comes of the model's answers, by episode."""

    def end(self, episodes: Sequence[int]) -> Mapping[int, Reply]:
        """Episodes are broken off: the model may write no more turns or tokens."""

    def fail(self, reasons: Mapping[int, str]) -> None:
        """Episodes that can't be played, with why: they count as failed."""


@runtime_checkable
class AdaptsToExperience(Protocol):
    """Some of what it learns with goes on from collection to collection (a coefficient that is adapted). Checkpoints hold it; `learn` and
    the losses on a collection are given it as it was when the collection began."""

    def initial_state(self) -> Mapping[str, Any]:
        """Before the first collection: tensors by name."""

    def adapted(self, state: Mapping[str, Any], rollouts: Sequence[Sequence[Rollout]]) -> Mapping[str, Any]:
        """After a collection's last step. Changes no argument."""
