"""The check of backends that say that they are `updatable`: they write completions for a model that is trained meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact
from tunesmith.errors import TunesmithError
from tunesmith_sdk.conformance.bench.bench import Bench
from tunesmith_sdk.conformance.checks import CheckFailed, check, has
from tunesmith_sdk.conformance.hosted.serving import NAME, serving
from tunesmith_sdk.conformance.materials.tiny_policies import POLICIES, TEMPERATURE, TOLD, WHOLE

SAMPLES, LONGEST = 4, 6  # completions of a prompt, tokens of one
#: weights and versions as a training step gives them: the last is of a run that went back to a checkpoint
GIVEN = ((POLICIES[0], 0), (POLICIES[1], 1), (POLICIES[0], 1))
FOLDERS = {
    "model/hf": WHOLE,
    "adapter/peft": "",
}  #: format -> what stands behind a folder's name; an adapter after whole weights is of the base


@check(
    "inference_backend.updatable",
    kind="inference_backend",
    at="host",
    when=has("updatable"),
    title="of a model that is trained meanwhile it samples with the weights that it was given last, and tells which these were",
)
def updatable(bench: Bench) -> Iterator[CheckFailed]:
    from tunesmith_serve.sampler_client import SamplerClient
    from tunesmith_serve.updatable import SamplingOptions

    folder = bench.materials.path("policies")
    told = json.loads((folder / TOLD).read_text(encoding="utf-8"))
    options = SamplingOptions(SAMPLES, LONGEST, TEMPERATURE, (), tuple(told["ends"]))
    with serving(bench, updatable=True) as endpoint:
        sampler = SamplerClient(Artifact("endpoint/openai", Path(), meta=dict(endpoint.worker.ready or {})), NAME, endpoint.worker.look)
        bound = sampler.distance.get(sampler.dtype, max(sampler.distance.values()))
        if wrong := sorted({*sampler.takes} ^ {*bench.record.facts.get("takes", ())}):
            yield CheckFailed(f"its fact `takes` and its attribute differ in {', '.join(wrong)}", fix="Name the same formats in both.")
        for kind, (name, version) in ((kind, given) for kind in FOLDERS if kind in sampler.takes for given in GIVEN):
            try:
                if sampler.sleeps:
                    sampler.sleep()
                    sampler.wake()
                sampler.load(Artifact(kind, folder / f"{name}{FOLDERS[kind]}"), version)
                found = sampler.complete(told["prompts"], [1, 2], options)
            except TunesmithError as error:
                raise CheckFailed(
                    f"given weights ({kind}), it fails: {error}", found=endpoint.worker.last_words(), fix=error.fix
                ) from error
            yield from _misfits(found, told, name, version, bound)
        sampler.close()


def _misfits(found: Any, told: Any, name: str, version: int, bound: float) -> Iterator[CheckFailed]:
    """What of the answers is not as it should be, one finding of each kind at most.

    Args:
        name: of the weights that it was given.
        bound: nats by which its log-probabilities may be off.
    """
    if [len(own) for own in found] != [SAMPLES] * len(told["prompts"]):
        yield CheckFailed(f"{SAMPLES} completions of each prompt were asked for, and it gives {[len(own) for own in found]}",
                          fix="Give `options.n` completions of each prompt, in the order of the prompts.")  # fmt: skip
    every = [(wanted, one) for wanted, own in zip(told["log_probs"][name], found, strict=False) for one in own]
    for _, one in every:
        if not 1 <= len(one.tokens) <= LONGEST or len(one.log_probs) != len(one.tokens) or one.finished != (one.tokens[-1] in told["ends"]):
            yield CheckFailed(f"a completion has {len(one.tokens)} tokens with {len(one.log_probs)} log-probabilities, and "
                              f"{'has' if one.finished else 'has not'} ended by itself",
                              fix="Give at most `max_tokens` tokens, the end token among them, with one log-probability each.")  # fmt: skip
            break
    if wrong := {one.version for _, one in every} - {version}:
        yield CheckFailed(f"given version {version} of the policy, it answers as version {min(wrong)}",
                          fix="Tell the version of the weights that have written a completion, as the engine itself knows it.")  # fmt: skip
    off = [abs(one.log_probs[0] - wanted[one.tokens[0]]) for wanted, one in every if one.log_probs and one.tokens[0] < len(wanted)]
    if not off or sum(off) / len(off) > bound:
        yield CheckFailed(f"first tokens' log-probabilities are {sum(off) / max(1, len(off)):.3g} nats from those of the model with the "
                          f"weights; it states {bound:g}",
                          fix="Sample by the weights that were loaded last, from the prompts' own token ids, and give log-probabilities at "
                          "the temperature that was asked for.")  # fmt: skip
