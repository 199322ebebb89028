"""Completions by another program: an endpoint that is given what is trained each time it has changed, and tells with each answer which
version it has.

From token ids to token ids, as `sampler` does in this process. What comes back follows the distribution of the policy, but not to the bit:
what an engine computes depends on what else it computes at the time. So a run that goes on within a collection finds its rollouts in the
ledger, and one that goes on before it draws others.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace

from tunesmith.contracts import Adapter, Artifact, Step, Training, TunesmithError
from tunesmith_serve.sampler_client import SamplerClient
from tunesmith_serve.updatable import SampledCompletion, SamplingOptions
from tunesmith_torch.api import Sampling
from tunesmith_torch.estimate.sampler import ADAPTER, SAMPLER, WHOLE, untakeable
from tunesmith_torch.model.loader import stands_alone
from tunesmith_torch.training.checkpoint.ranks import Ranks
from tunesmith_torch.training.experience.sampler import Completion
from tunesmith_torch.training.seed import derived

_FOLDER = "policy"  # in the work directory: what the sampler has
_COARSER = {"float32": 0, "float16": 1, "bfloat16": 2}


class EndpointSampler:
    """Of one training step.

    Args:
        ends: ids of the tokens that end a completion.

    Raises:
        UserError: TS-TRAIN-133 when the endpoint takes no weights.
    """

    def __init__(
        self, step: Step, sampling: Sampling, ends: Sequence[int], training: Training, adapter: Adapter, ranks: Ranks
    ) -> None:  # fmt: skip
        self.step, self.training, self.adapter, self.ranks = step, training, adapter, ranks
        self.name = step.sources.get(SAMPLER, SAMPLER)
        self._client = SamplerClient(step.inputs[SAMPLER], self.name, step.check_cancelled)
        self._options = SamplingOptions(
            sampling.num_generations, sampling.max_completion_length, sampling.temperature, tuple(sampling.stop), tuple(ends)
        )  # fmt: skip
        self.ends, self._version = frozenset(ends), -1
        self.seconds, self.tokens = 0.0, 0  #: of the last call

    def bound(self, dtype: str) -> float:
        """Nats a token that its log-probabilities may lie from the training step's, which computes in `dtype`."""
        coarser = max((dtype, self._client.dtype or dtype), key=lambda name: _COARSER.get(name, len(_COARSER)))
        return self._client.distance.get(coarser, max(self._client.distance.values()))

    def update(self, version: int) -> None:
        """Give it the adapter, or the whole model, as it is now, after so many optimizer steps. Every rank calls it.

        Raises:
            TunesmithError: TS-TRAIN-136 when it does not answer, TS-TRAIN-132 when it takes no such weights; what its backend says of
                weights that it can't compute.
        """
        if version == self._version:
            return
        folder = self.step.work / _FOLDER
        with self.training.whole() as trainable:
            if self.ranks.first:
                started = time.monotonic()
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                self.adapter.save(trainable.model, folder)
                weights = Artifact(WHOLE if stands_alone(folder) else ADAPTER, folder)
                if weights.format not in self._client.takes:
                    raise untakeable(weights.format, f"`{self.name}` takes {' and '.join(sorted(self._client.takes))} while it runs.")
                if self._client.sleeps:
                    self._client.wake()
                self._client.load(weights, version)
                self.step.metric("sampler_update_seconds", time.monotonic() - started, version)
        self.ranks.barrier()
        self._version = version

    def rest(self) -> None:
        """Nothing is sampled until the next `update`. Every rank calls it."""
        if self._client.sleeps and self.ranks.first:
            self._client.sleep()

    def __call__(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[Sequence[object]], *, count: int = 0, longest: Sequence[int] = ()
    ) -> list[list[Completion]]:
        """Completions of each prompt.

        Args:
            seeds: of each prompt, what its random numbers follow from.
            count: of each; 0: `num_generations`.
            longest: most tokens of each prompt's; left out: `max_completion_length`.

        Raises:
            TunesmithError: TS-TRAIN-136 when it does not answer, TS-TRAIN-137 when another policy answers than the one that it was given.
        """
        started = time.monotonic()
        numbers = [derived("rollout", *one) >> 1 for one in seeds]  # engines add a completion's number
        limits = list(longest) or [self._options.max_tokens] * len(prompts)
        found: dict[int, list[Completion]] = {}
        for limit in sorted(set(limits)):
            chosen = [at for at, one in enumerate(limits) if one == limit]
            options = replace(self._options, n=count or self._options.n, max_tokens=limit)
            told = self._client.complete([list(prompts[at]) for at in chosen], [numbers[at] for at in chosen], options)
            self._check(told, len(chosen), options)
            for at, own in zip(chosen, told, strict=True):
                found[at] = [Completion(list(one.tokens), list(one.log_probs), one.finished) for one in own]
        self.seconds = time.monotonic() - started
        self.tokens = sum(len(one.tokens) for own in found.values() for one in own)
        return [found[at] for at in range(len(prompts))]

    def close(self) -> None:
        self._client.close()

    def _check(self, found: Sequence[Sequence[SampledCompletion]], prompts: int, asked: SamplingOptions) -> None:
        told = {one.version for own in found for one in own}
        if told - {self._version}:
            raise TunesmithError(
                "TS-TRAIN-137", f"The sampler `{self.name}` answered as version {min(told - {self._version})} of the policy",
                why=f"It was given version {self._version}: what another policy writes would be learned from as if it were this one's.",
                fix="Does somebody else give it adapters? `tunesmith resume` goes on from the newest checkpoint.",
            )  # fmt: skip
        if len(found) != prompts or any(len(own) != asked.n or not all(_fits(one, asked.max_tokens) for one in own) for own in found):
            raise TunesmithError(
                "TS-TRAIN-136", f"The sampler `{self.name}` answered something else than it was asked",
                why=f"{prompts} prompts were to have {asked.n} completions each, of 1 to {asked.max_tokens} tokens.",
                fix="Report it with the engine's version.",
            )  # fmt: skip


def _fits(one: SampledCompletion, longest: int) -> bool:
    return 1 <= len(one.tokens) <= longest and len(one.log_probs) == len(one.tokens)
