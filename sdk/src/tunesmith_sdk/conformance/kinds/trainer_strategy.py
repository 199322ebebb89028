"""What trainer strategies are tried on: a small training by the contract alone in all their ranks, and the same by plain PyTorch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.contracts import Estimate, Placement, Step
from tunesmith.contracts.settings import fill
from tunesmith_sdk.conformance import catalog
from tunesmith_sdk.conformance.author_functions import given
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check
from tunesmith_sdk.conformance.common.provider import offers

STEPS, HALF, ROWS, MICRO = 4, 2, 8, 2
MIDST = "midst"  #: in the work directory of the usual work: all ranks are at it
RATE, LIMIT = 0.02, 1.0  # learning rate; largest norm of the gradients
SCALE = 64.0  # what losses are multiplied with


class Source:
    """A small network with frozen weights and ones that train, always the same: a `ModelSource`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, device: Any, *, separate: bool = False) -> Any:
        import torch

        torch.manual_seed(0)
        layers = (torch.nn.Embedding(32, 16), torch.nn.Linear(16, 32), torch.nn.GELU(), torch.nn.Linear(32, 32))
        made = torch.nn.Sequential(*layers).to(device)
        made[0].requires_grad_(False)
        return made

    def empty(self) -> Any:
        return self.load("meta")

    def layers(self, model: Any) -> list[Any]:
        return [model[1], model[3]]


def optimizer(network: Any) -> Any:
    import torch

    return torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=RATE, weight_decay=0.01)


def batch(number: int) -> Any:
    """Rows of a step: inputs and targets."""
    import torch

    drawn = torch.Generator().manual_seed(100 + number)
    return torch.randint(0, 32, (ROWS, 6), generator=drawn), torch.randint(0, 32, (ROWS, 6), generator=drawn)


def share_of_loss(output: Any, targets: Any) -> Any:
    """The loss, summed over tokens and divided by those of the whole batch."""
    from torch.nn import functional

    return functional.cross_entropy(output.flatten(0, 1), targets.flatten(), reduction="sum") / (ROWS * targets.shape[1])


def plain() -> tuple[list[list[float]], dict[str, Any]]:
    """Loss and norm of every step, and the weights at the end, by PyTorch alone."""
    import torch

    network = Source(Path()).load("cpu")
    stepping = optimizer(network)
    course = []
    for number in range(STEPS):
        stepping.zero_grad()
        inputs, targets = batch(number)
        loss = share_of_loss(network(inputs), targets)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], LIMIT)
        stepping.step()
        course.append([float(loss), float(norm)])
    return course, {name: value.detach() for name, value in network.named_parameters()}


def train(strategy: Any, training: Any, mesh: Any, numbers: range, step: Step) -> list[list[float]]:
    """Train over the steps `numbers`, each share of the rows in two micro-batches."""
    import torch

    course = []
    for number in numbers:
        step.check_cancelled()
        training.zero_grad()
        inputs, targets = (part[mesh.data_rank :: mesh.data_size].to(mesh.device) for part in batch(number))
        wanted, total = targets.chunk(MICRO), torch.zeros((), device=mesh.device)

        def loss(output: Any, at: int, wanted: Any = wanted, total: Any = total) -> Any:
            part = share_of_loss(output, wanted[at])
            total.add_(part.detach())
            return part

        training.forward_backward(inputs.chunk(MICRO), lambda output, at: loss(output, at) * float("inf"))
        infinite = training.clip(LIMIT)
        training.zero_grad()
        total.zero_()
        training.forward_backward(inputs.chunk(MICRO), lambda output, at: loss(output, at) * SCALE)
        norm = training.clip(LIMIT, SCALE)
        training.step()
        course.append([float(strategy.sum(total)), float(norm), float(infinite)])
    return course


def run(step: Step) -> None:
    """In each rank: train, and train again with a break in the middle. What came of it goes to the output."""
    catalog.load_in_worker("trainer_strategy")
    import torch

    strategy, placement = Subject(step, step.settings).build(), step.placement
    mesh, source = strategy.start(placement), Source(step.work)
    training = strategy.prepare(source, optimizer)
    course = train(strategy, training, mesh, range(STEPS), step)
    judged = [float(output.float().sum()) for output in training.forward([batch(0)[0].to(mesh.device)])]
    whole = _whole(training, placement)
    state = step.work / "state"
    if placement.rank == 0:
        state.mkdir()
    strategy.barrier()
    before = strategy.prepare(source, optimizer)
    train(strategy, before, mesh, range(HALF), step)
    before.save_state(state)
    strategy.barrier()
    again = strategy.prepare(source, optimizer)
    again.load_state(state)
    resumed = train(strategy, again, mesh, range(HALF, STEPS), step)
    after = _whole(again, placement)
    last = placement.rank == placement.processes - 1
    said = {
        "heard": [strategy.any(last), strategy.any(False)],
        "course": course, "resumed": resumed, "judged": judged, "torch": torch.__version__,
        "apart": max((float((whole[name] - after[name]).abs().max()) for name in whole), default=0.0),
        "pickles": sorted(path.name for path in state.rglob("*") if path.is_file() and path.suffix not in (".safetensors", ".json")),
    }  # fmt: skip
    if placement.rank == 0:
        wanted_course, wanted = plain()
        begun = dict(source.load("cpu").named_parameters())
        said |= {
            "plain": wanted_course, "names": sorted(whole), "wanted": sorted(wanted),
            "tensors": {name: _compared(whole[name], wanted[name], begun[name]) for name in wanted if name in whole},
        }  # fmt: skip
    (step.output / f"rank-{placement.rank}.json").write_text(json.dumps(said))
    strategy.barrier()
    strategy.finish()


def _whole(training: Any, placement: Any) -> dict[str, Any]:
    """The parameters as the first rank sees them; nothing elsewhere."""
    with training.whole() as network:
        if placement.rank:
            return {}
        return {name: parameter.detach().float().cpu().clone() for name, parameter in network.named_parameters()}


def _compared(value: Any, wanted: Any, begun: Any) -> dict[str, Any]:
    """A tensor beside what plain PyTorch made of it."""
    return {
        "apart": float((value - wanted).abs().max()) if value.shape == wanted.shape else float("inf"),
        "finite": bool(value.isfinite().all()), "changed": not bool((value == begun).all()) if value.shape == begun.shape else True,
        "trains": begun.requires_grad,
    }  # fmt: skip


def can_train(author: str) -> None:
    """Whether the strategy trains the kit's own network.

    Raises:
        NotRun: its author gives a training of another.
    """
    if "training" in given(author):
        raise NotRun("it can't train the kit's own network", where="tests of its own")


@observer("trainer_strategy")
def observe(subject: Subject) -> dict[str, Any]:
    """A short training of one rank, the author's where there is one, and how many ranks the kernel is told to start."""
    import torch

    torch.manual_seed(1)
    placement = dataclasses.replace(subject.step.placement, rendezvous=f"file://{subject.step.work / 'rendezvous'}")
    course = subject.asked("training", subject.build, placement)
    return {"course": _course(subject, placement) if course is None else course, "request.ranks": subject.record.ranks(subject.values)}


def _course(subject: Subject, placement: Placement) -> list[list[float]]:
    """Of the kit's own network."""
    strategy = subject.build()
    mesh = strategy.start(placement)
    try:
        return train(strategy, strategy.prepare(Source(subject.step.work), optimizer), mesh, range(STEPS), subject.step)
    finally:
        strategy.finish()


@action("trainer_strategy", warm=lambda subject: plain(), materials=("rows", "blank"))
def work(subject: Subject) -> None:
    """Train a little; as every rank does."""
    strategy, placement = subject.build(), subject.step.placement
    mesh = strategy.start(placement)
    training = strategy.prepare(Source(subject.step.work), optimizer)
    for number in range(50):
        train(strategy, training, mesh, range(STEPS), subject.step)
        if number == 0 and placement.rank == 0:
            (subject.step.work / MIDST).touch()
    strategy.barrier()
    strategy.finish()


#: what an estimator may tell, and the most of it (see the contract)
SHARES = (
    "parameters", "gradients", "optimizer", "activations", "master", "computes", "host_parameters", "host_gradients", "host_optimizer",
    "host_master", "host_loading", "idle",
)  # fmt: skip
AMOUNTS = ("gathered", "cast", "host_step", "data", "gather", "reduce", "reduce_step", "exchange", "group")


@check(
    "trainer_strategy.estimate",
    kind="trainer_strategy",
    when=lambda record: bool(record.estimator and record.variants),
    title="of what it offers its estimator tells shares and amounts, and there is a rank for each device",
)
def estimate(subject: Subject) -> Iterator[CheckFailed]:
    for request, offered in offers(subject):
        for settings in offered:
            ranks, count = subject.record.ranks(fill(subject.record.schema, settings)), len(request.devices)
            if ranks != count:
                yield CheckFailed(f"for {count} devices it offers {ranks} ranks ({settings})", fix="Offer a rank for each device.")
            asked = dataclasses.replace(request, settings=fill(subject.record.schema, settings), processes=ranks)
            told = subject.estimator()(asked)
            for name, value in dict(told.terms if isinstance(told, Estimate) else told).items():
                most = 1.0 if name in SHARES else float("inf") if name in AMOUNTS else -1.0
                if most < 0:
                    known = ", ".join((*SHARES, *AMOUNTS))
                    yield CheckFailed(f"its estimator tells `{name}`, which nobody reads", fix=f"It may tell {known}.")
                elif not 0 <= float(value) <= most:
                    yield CheckFailed(f"with {settings} its estimator tells {value} of `{name}`", fix="A share is from 0 to 1.")
