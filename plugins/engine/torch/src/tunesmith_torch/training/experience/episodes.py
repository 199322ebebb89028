"""Episodes of several turns: the model answers, an environment replies, and so on until either is done.

All episodes of a collection go on together, a turn at a time: what the model says in a turn is sampled at once, and the environment is
asked about all of it. The tokens of an episode are those that were sampled with those of the replies between them; nothing that the model
wrote is tokenized again. The first turn of a prompt is sampled as its completions are: the prompt runs through the model once for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from tunesmith.contracts import Step
from tunesmith_torch.api import Group, Interacts, Reply, Rollout, Sampling, Turn
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer
from tunesmith_torch.training.experience.endpoint_sampler import EndpointSampler
from tunesmith_torch.training.experience.reply_tokens import opening_tokens, reply_tokens
from tunesmith_torch.training.experience.sampler import Completion, Sampler
from tunesmith_torch.training.seed import derived

Seed = tuple[object, ...]


class Episodes:
    """
    Args:
        longest: tokens of prompt and completion together.
        decode: ids to text; the second argument: without special tokens.
    """

    def __init__(
        self, environment: Interacts, sampler: Sampler | EndpointSampler, chat: ChatTokenizer, sampling: Sampling, longest: int,
        decode: Callable[[list[int], bool], str], step: Step,
    ) -> None:  # fmt: skip
        self.environment, self.sampler, self.chat, self.sampling = environment, sampler, chat, sampling
        self.longest, self.decode, self.step = longest, decode, step
        self.seconds, self.tokens = 0.0, 0  #: of sampling, of the last call
        self._told = False  # of tools that the template does not write

    def __call__(self, prompts: Sequence[tuple[int, Group]], seeds: Sequence[Seed], collection: int, version: int) -> list[list[Rollout]]:
        """The rollouts of each prompt, without scores.

        Args:
            prompts: number of the row, and its group.
            seeds: of each prompt, what its random numbers follow from.
            version: of the model.
        """
        count = self.sampling.num_generations
        self.seconds, self.tokens = 0.0, 0
        tasks = [(group.facts, self._seed(collection, row)) for row, group in prompts for _ in range(count)]
        every = [_Episode(number, reply) for number, reply in self.environment.reset(tasks).items()]
        groups = [every[start : start + count] for start in range(0, len(every), count)]
        for group in groups:
            self._open(group)
        self._first(groups, seeds)
        for turn in range(1, self.sampling.max_turns):
            going = [(seed, at, one) for seed, group in zip(seeds, groups, strict=True) for at, one in enumerate(group) if not one.over]
            if going:
                self._further(going, turn)
        return [
            [self._rollout(one, row, sample, version, of.facts) for sample, one in enumerate(group)]
            for (row, of), group in zip(prompts, groups, strict=True)
        ]

    def with_answers(self, rollouts: Sequence[Rollout]) -> list[Rollout]:
        """The same prompts, each answered with the rollout's text and then broken off: what junk comes to (of the first collection)."""
        opened = self.environment.reset([(one.facts, self._seed(0, one.row)) for one in rollouts])
        every = [_Episode(number, reply) for number, reply in opened.items()]
        played = [(one, Completion([], [], True)) for one in every if not one.over]
        texts = {one.number: rollout.text for one, rollout in zip(every, rollouts, strict=True)}
        self._answer(played, self.sampling.max_turns, texts)
        return [replace(rollout, turns=tuple(one.turns), failure=one.failure) for one, rollout in zip(every, rollouts, strict=True)]

    def _seed(self, collection: int, row: int) -> int:
        """Of an environment: 31 bits."""
        return derived("environment", self.step.seed, collection, row) % 2**31

    def _open(self, group: Sequence[_Episode]) -> None:
        """Their prompts."""
        going = [one for one in group if not one.over]
        if not going:
            return
        first = going[0]
        tokens = opening_tokens(self.chat, first.opening, first.tools)
        self._look_at_tools(first, tokens)
        room = min(self.sampling.max_completion_length, self.longest - len(tokens))
        for one in group:
            one.prompt, one.room = tokens, room
        for one in going:
            if (one.opening, one.tools) != (first.opening, first.tools):
                one.fail("it opens otherwise than another episode of the same row and seed")
            elif room < 1:
                one.fail(f"its opening has {len(tokens)} tokens: of {self.longest} none is left for an answer")
        if failed := {one.number: one.failure for one in going if one.failure}:
            self.environment.fail(failed)

    def _first(self, groups: Sequence[Sequence[_Episode]], seeds: Sequence[Seed]) -> None:
        opened = [(group, seed) for group, seed in zip(groups, seeds, strict=True) if any(not one.over for one in group)]
        if not opened:
            return
        found = self._sampled(
            [group[0].prompt for group, _ in opened], [seed for _, seed in opened], [group[0].room for group, _ in opened], 0
        )
        said = [pair for (group, _), own in zip(opened, found, strict=True) for pair in zip(group, own, strict=True) if not pair[0].over]
        self._answer(said, 1)

    def _further(self, going: Sequence[tuple[Seed, int, _Episode]], turn: int) -> None:
        found = self._sampled(
            [[*one.prompt, *one.tokens] for _, _, one in going], [(*seed, "turn", turn, at) for seed, at, _ in going],
            [one.room - len(one.tokens) for _, _, one in going], 1,
        )  # fmt: skip
        self._answer([(one, own[0]) for (_, _, one), own in zip(going, found, strict=True)], turn + 1)

    def _sampled(self, prompts: Sequence[list[int]], seeds: Sequence[Seed], longest: Sequence[int], count: int) -> list[list[Completion]]:
        found = self.sampler(prompts, seeds, count=count, longest=longest)
        self.seconds, self.tokens = self.seconds + self.sampler.seconds, self.tokens + self.sampler.tokens
        return found

    def _answer(self, said: Sequence[tuple[_Episode, Completion]], turn: int, texts: Mapping[int, str] = MappingProxyType({})) -> None:
        """Have the environment reply to a turn of each.

        Args:
            texts: in place of what the tokens say.
        """
        texts = {one.number: texts.get(one.number) or self.decode(own.tokens, True) for one, own in said}
        replies = self.environment.reply(texts)
        broken = []
        for one, own in said:
            one.take(own, texts[one.number], replies[one.number])
            if not one.over and not (own.finished and self.sampling.goes_on(turn) and self._read(one, own, replies[one.number])):
                broken.append(one)
        for number, reply in (self.environment.end([one.number for one in broken]) if broken else {}).items():
            next(one for one in broken if one.number == number).leave(reply)

    def _read(self, one: _Episode, own: Completion, reply: Reply) -> bool:
        """Whether the model has room to read a reply and to answer it; then it is part of the episode."""
        ended = own.tokens[-1] in self.sampler.ends
        tokens = reply_tokens(self.chat, one.opening, reply.messages, one.tools, ended=ended)
        if len(one.tokens) + len(tokens) >= one.room:
            return False
        one.tokens += tokens
        return True

    def _look_at_tools(self, one: _Episode, tokens: list[int]) -> None:
        if one.tools and not self._told and tokens == opening_tokens(self.chat, one.opening, ()):
            self._told = True
            self.step.log(
                "the model's chat template does not write tools: the model is not told of those that the environment has, unless its "
                "messages do", "warning",
            )  # fmt: skip

    def _rollout(self, one: _Episode, row: int, sample: int, version: int, facts: Mapping[str, Any]) -> Rollout:
        text = one.turns[-1].text if one.turns else ""
        return Rollout(
            row, sample, version, one.prompt, one.tokens[: one.turns[-1].stop] if one.turns else [], one.log_probs, text,
            one.finished and not one.failure, facts, self.decode(one.prompt, False), turns=tuple(one.turns), failure=one.failure,
        )  # fmt: skip


class _Episode:
    """One as it goes on. `room`: tokens of its completion at most; `finished`: it was done, and its last answer ended by itself."""

    def __init__(self, number: int, opening: Reply) -> None:
        self.number, self.opening, self.tools = number, list(opening.messages), list(opening.tools)
        self.failure, self.over = opening.failure, bool(opening.failure)
        self.prompt: list[int] = []
        self.tokens: list[int] = []
        self.log_probs: list[float] = []
        self.turns: list[Turn] = []
        self.room, self.finished = 0, False

    def take(self, said: Completion, text: str, reply: Reply) -> None:
        """An answer, and what was replied to it."""
        start = len(self.tokens)
        self.tokens += said.tokens
        self.log_probs += said.log_probs
        self.turns.append(Turn(start, len(self.tokens), text, [dict(message) for message in reply.messages], reply.reward))
        if reply.failure:
            self.fail(reply.failure)
        elif reply.done:
            self.over, self.finished = True, said.finished

    def leave(self, reply: Reply) -> None:
        """It was broken off, which is worth something or nothing."""
        self.over = True
        last = self.turns[-1]
        if reply.failure:
            self.fail(reply.failure)
        elif reply.reward is not None:
            self.turns[-1] = replace(last, reward=(last.reward or 0.0) + reply.reward)

    def fail(self, why: str) -> None:
        self.failure, self.over = why, True
