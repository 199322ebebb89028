"""What trainer strategies are tried on: a small training by the contract alone in all their ranks, and the same by plain PyTorch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from tunesmith.contracts import Step
from tunesmith_sdk.conformance import catalog
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.catalog import action, observer

STEPS, HALF, ROWS, MICRO = 4, 2, 8, 2
MIDST = "midst"  #: in the work directory of the usual work: all ranks are at it
RATE, LIMIT = 0.02, 1.0  # learning rate; largest norm of the gradients


def model() -> Any:
    """A small network with frozen weights and ones that train; always the same."""
    import torch

    torch.manual_seed(0)
    made = torch.nn.Sequential(torch.nn.Embedding(32, 16), torch.nn.Linear(16, 32), torch.nn.GELU(), torch.nn.Linear(32, 32))
    made[0].requires_grad_(False)
    return made


def optimizer(named: Any) -> Any:
    import torch

    return torch.optim.AdamW([tensor for _, tensor in named], lr=RATE, weight_decay=0.01)


def batch(number: int) -> Any:
    """Rows of a step: inputs and targets."""
    import torch

    drawn = torch.Generator().manual_seed(100 + number)
    return torch.randint(0, 32, (ROWS, 6), generator=drawn), torch.randint(0, 32, (ROWS, 6), generator=drawn)


def total(network: Any, inputs: Any, targets: Any) -> Any:
    """The loss, summed over tokens and divided by those of the whole batch."""
    from torch.nn import functional

    return functional.cross_entropy(network(inputs).flatten(0, 1), targets.flatten(), reduction="sum") / (ROWS * targets.shape[1])


def plain() -> list[list[float]]:
    """Loss and norm of every step, by PyTorch alone."""
    import torch

    network = model()
    stepping = optimizer([named for named in network.named_parameters() if named[1].requires_grad])
    course = []
    for number in range(STEPS):
        stepping.zero_grad()
        loss = total(network, *batch(number))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], LIMIT)
        stepping.step()
        course.append([float(loss), float(norm)])
    return course


def train(strategy: Any, wrapped: Any, stepping: Any, placement: Any, device: Any, numbers: range, step: Step) -> list[list[float]]:
    """Train over the steps `numbers`, each rank on its own rows in two micro-batches."""
    course = []
    for number in numbers:
        step.check_cancelled()
        stepping.zero_grad()
        inputs, targets = (part[placement.rank :: placement.processes].to(device) for part in batch(number))
        pieces = list(zip(inputs.chunk(MICRO), targets.chunk(MICRO)))  # noqa: B905
        loss = 0.0
        for count, piece in enumerate(pieces, 1):
            with strategy.accumulating(wrapped, count == len(pieces)):
                part = total(wrapped, *piece)
                part.backward()
            loss = loss + part.detach()
        norm = strategy.clip(wrapped, LIMIT)
        stepping.step()
        course.append([float(strategy.sum(loss)), float(norm)])
    return course


def run(step: Step) -> None:
    """In each rank: train, and train again with a break in the middle. What came of it goes to the output."""
    catalog.load_in_worker()
    import torch

    strategy, placement = Subject(step, step.settings).build(), step.placement
    device = strategy.start(placement)
    wrapped, stepping = strategy.wrap(model().to(device), optimizer)
    course = train(strategy, wrapped, stepping, placement, device, range(STEPS), step)
    whole = strategy.state(wrapped, stepping)
    strategy.barrier()
    before, stepping = strategy.wrap(model().to(device), optimizer)
    train(strategy, before, stepping, placement, device, range(HALF), step)
    saved = _copied(strategy.state(before, stepping))
    again, stepping = strategy.wrap(model().to(device), optimizer)
    strategy.load_state(again, stepping, saved)
    resumed = train(strategy, again, stepping, placement, device, range(HALF, STEPS), step)
    after = strategy.state(again, stepping)
    names = sorted(name for name, p in model().named_parameters() if p.requires_grad)
    apart = max((float((whole["model"][n].float() - after["model"][n].float()).abs().max()) for n in whole["model"]), default=0.0)
    digest = hashlib.sha256(b"".join(whole["model"][name].detach().cpu().contiguous().numpy().tobytes() for name in sorted(whole["model"])))
    said = {
        "course": course, "resumed": resumed, "apart": apart, "names": sorted(whole["model"]), "wanted": names,
        "digest": digest.hexdigest(),
        "plain": plain() if placement.rank == 0 else [], "torch": torch.__version__,
    }  # fmt: skip
    (step.output / f"rank-{placement.rank}.json").write_text(json.dumps(said))
    strategy.barrier()
    strategy.finish()


@observer("trainer_strategy")
def observe(subject: Subject) -> dict[str, Any]:
    """A short training of one rank, and how many ranks the kernel is told to start."""
    import torch

    torch.manual_seed(1)
    placement = dataclasses.replace(subject.step.placement, rendezvous=str(subject.step.work / "rendezvous"))
    strategy = subject.build()
    device = strategy.start(placement)
    try:
        wrapped, stepping = strategy.wrap(model().to(device), optimizer)
        course = train(strategy, wrapped, stepping, placement, device, range(STEPS), subject.step)
    finally:
        strategy.finish()
    return {"course": course, "request.ranks": subject.record.ranks(subject.values)}


def _copied(state: Any) -> Any:
    return {
        part: {name: value.clone() if hasattr(value, "clone") else value for name, value in entries.items()}
        for part, entries in state.items()
    }


@action("trainer_strategy", warm=lambda subject: plain())
def work(subject: Subject) -> None:
    """Train a little; as every rank does."""
    strategy, placement = subject.build(), subject.step.placement
    device = strategy.start(placement)
    wrapped, stepping = strategy.wrap(model().to(device), optimizer)
    for number in range(50):
        train(strategy, wrapped, stepping, placement, device, range(STEPS), subject.step)
        if number == 0 and placement.rank == 0:
            (subject.step.work / MIDST).touch()
    strategy.barrier()
    strategy.finish()
