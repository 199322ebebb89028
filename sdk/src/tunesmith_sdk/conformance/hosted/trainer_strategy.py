"""Checks of trainer strategies, with a process a rank."""

from __future__ import annotations

import json
import math
import os
import signal
from typing import Any

from tunesmith_sdk.conformance.bench.bench import WORKER, Bench
from tunesmith_sdk.conformance.checks import CheckFailed, check
from tunesmith_sdk.conformance.hosted.processes import command, family_of, left_of
from tunesmith_sdk.conformance.hosted.steps import DEATH, START, entered
from tunesmith_sdk.conformance.kinds.trainer_strategy import MIDST, can_train

SAME = 1e-4  #: largest difference of losses and norms from plain PyTorch, relative
WHOLE = 1e-4  #: of a weight at the end
LIMIT = 240.0  # seconds for all ranks together
_KIND = "trainer_strategy"


def _trained(bench: Bench) -> list[dict[str, Any]]:
    """What each rank said of its training; made once for a provider."""
    can_train(bench.declared.author)
    if bench.kept is None:
        output = bench.folder("training")
        with bench.working("tunesmith_sdk.conformance.kinds.trainer_strategy:run", output=output, ranks=bench.ranks) as worker:
            if not worker.until(lambda: worker.done, LIMIT):
                raise CheckFailed(f"{bench.ranks} ranks are not done after {LIMIT:.0f} s", found=worker.last_words(),
                                  fix="See that all ranks make the same collective calls.")  # fmt: skip
            if error := worker.error():
                raise CheckFailed(f"training fails: {error}", found=worker.last_words(), fix=error.fix)
        bench.kept = [json.loads((output / f"rank-{rank}.json").read_text()) for rank in range(bench.ranks)]
    return list(bench.kept)


@check("trainer_strategy.same-losses", kind=_KIND, at="host", title="losses and gradient norms are those of plain PyTorch on the same data")
def same_losses(bench: Bench) -> None:
    first = _trained(bench)[0]
    limit = float(bench.declared.tolerances.get("trainer_strategy.same-losses", SAME))
    for number, (mine, theirs) in enumerate(zip(first["course"], first["plain"], strict=True), 1):
        if math.isfinite(mine[2]):
            raise CheckFailed(f"step {number}: of gradients that are infinite, `clip` gives {mine[2]:g}",
                              fix="Give a norm that is infinite or no number: it is how the engine learns of them.")  # fmt: skip
        for what, one, other in (("loss", mine[0], theirs[0]), ("gradient norm", mine[1], theirs[1])):
            if not abs(one - other) <= limit * max(1.0, abs(other)):
                raise CheckFailed(f"step {number}: the {what} is {one:.6f}, and {other:.6f} by plain PyTorch",
                                  fix="Gradients are the ranks' sum, not their mean; agree after the last micro-batch only; "
                                     "`clip` divides them by its scale, and `zero_grad` forgets them.")  # fmt: skip


@check(
    "trainer_strategy.resumes",
    kind=_KIND,
    at="host",
    title="stopped, saved and loaded, it ends bit for bit where it would have, or within its tolerance",
)
def resumes(bench: Bench) -> None:
    limit = float(bench.declared.tolerances.get("trainer_strategy.resumes", 0.0))
    for rank, said in enumerate(_trained(bench)):
        if not said["apart"] <= limit:
            raise CheckFailed(f"rank {rank}: resumed, weights end {said['apart']:.2g} from where they would have, more than {limit:g}",
                              fix="Write the optimizer's moments and step counts in `save_state`, and take all of it back.")  # fmt: skip


@check(
    "trainer_strategy.whole-model",
    kind=_KIND,
    at="host",
    title="the whole model on the first rank is plain PyTorch's, tensor by tensor, under the model's own names",
)
def whole_model(bench: Bench) -> None:
    first = _trained(bench)[0]
    if first["names"] != first["wanted"]:
        raise CheckFailed(f"the model has {', '.join(first['names'][:4])}, and should have {', '.join(first['wanted'][:4])}",
                          fix="Give the model itself in `whole`, without wrappers' prefixes.")  # fmt: skip
    limit = float(bench.declared.tolerances.get("trainer_strategy.whole-model", WHOLE))
    for name, tensor in first["tensors"].items():
        if not tensor["finite"] or not tensor["apart"] <= limit:
            raise CheckFailed(f"`{name}` is {tensor['apart']:.2g} from plain PyTorch's, more than {limit:g}",
                              fix="Gather every rank's piece before `whole` gives the model.")  # fmt: skip
        if tensor["changed"] != tensor["trains"]:
            raise CheckFailed(f"`{name}` {'is as it was before training' if tensor['trains'] else 'has changed, and is frozen'}",
                              fix="Train what has `requires_grad`, and nothing else.")  # fmt: skip


@check("trainer_strategy.same-everywhere", kind=_KIND, at="host", title="all ranks tell the same losses and norms, and hear each other")
def same_everywhere(bench: Bench) -> None:
    first, *others = everybody = _trained(bench)
    for rank, said in enumerate(everybody):
        if said["heard"] != [True, False]:
            raise CheckFailed(f"rank {rank} is not told what one of the ranks says", fix="`any` asks all ranks, whichever share they have.")
    for rank, said in enumerate(others, 1):
        if said["course"] != first["course"]:
            raise CheckFailed(f"rank {rank} tells other losses or norms than rank 0", fix="`sum` and `clip` give the same on every rank.")


@check("trainer_strategy.no-pickles", kind=_KIND, at="host", title="its saved state is safetensors and JSON, nothing that could run code")
def no_pickles(bench: Bench) -> None:
    if files := _trained(bench)[0]["pickles"]:
        raise CheckFailed(f"its state is in {', '.join(files[:3])}", fix="Write safetensors: `save_state` of tunesmith_torch does.")


@check(
    "trainer_strategy.kill-ends-all",
    kind=_KIND,
    at="host",
    level="gold",
    when=lambda record: "ranks" in record.facts,
    title="the death of one rank ends all, with an error that names it",
)
def kill_ends_all(bench: Bench) -> None:
    can_train(bench.declared.author)
    work = bench.folder("work")
    with bench.working(f"{WORKER}:act", work=work, ranks=bench.ranks) as worker:
        entered(worker)
        worker.until((work / MIDST).exists, START)
        family = family_of(worker.pids)
        os.kill(worker.pids[-1], signal.SIGKILL)

        def over() -> bool:
            family.update(family_of(worker.pids))
            return worker.done

        if not worker.until(over, START):
            raise CheckFailed(
                "a rank is dead, and the others wait for it for ever", fix="Let the kernel see the failure; ignore no signal."
            )
        error = worker.error()
        if error is None:
            raise CheckFailed("a rank was killed, and the step calls itself done", fix="Make collective calls at the end as well.")
        if f"Rank {bench.ranks - 1}" not in error.what:
            raise CheckFailed(f"rank {bench.ranks - 1} was killed, and the error is: {error}", fix="End no other rank before that.")
    if left := left_of(family, DEATH):
        raise CheckFailed(
            f"processes live on {DEATH:.0f} s after the death of a rank: {', '.join(map(command, left))}",
            fix="Start nothing in a dead rank's place: the kernel starts the step again.",
        )  # fmt: skip
