"""Checks of optimizers: that they learn, keep tensors only, go on bit for bit, and heed what is said of each parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.contracts import EstimateRequest
from tunesmith.contracts.settings import fill
from tunesmith_models import ModelShape
from tunesmith_sdk.conformance import CheckFailed, NotRun, Subject, action, check, observer
from tunesmith_sdk.testing.model_configs import llama
from tunesmith_torch.api import Trained

RATE, STEPS, HALF = 0.01, 20, 4
TOKENS, HIDDEN, INNER = 32, 64, 96  # a matrix of more than 4096 numbers: from there on some keep them in fewer bits
WORDS = 80  # with which embeddings have that many numbers, too
LEARNT = 0.95  # of the loss at the start that may be left after STEPS
ESTIMATE = 0.1  # share by which an estimate may be wrong
#: one layer with everything in it, of which an optimizer's memory is estimated and measured
CONFIG = llama(1, 256, 512, 4, 2, 300, positions=512)
SHAPE = ModelShape.from_config(CONFIG)


def network(tokens: int = TOKENS) -> Any:
    """A small network, always the same: an embedding, two layers, vectors between them."""
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Embedding(tokens, HIDDEN), torch.nn.Linear(HIDDEN, INNER), torch.nn.LayerNorm(INNER), torch.nn.Linear(INNER, tokens)
    )


def loss(model: Any) -> Any:
    """That of learning which token follows which."""
    import torch

    tokens = torch.arange(model[0].num_embeddings)
    return torch.nn.functional.cross_entropy(model(tokens), (7 * tokens + 3) % len(tokens))


def described(model: Any, rates: Mapping[str, float] | None = None, *, decay: bool | None = None) -> list[Trained]:
    return [
        Trained(name, p, rate=(rates or {}).get(name, 1.0), decay=p.ndim > 1 if decay is None else decay, embedding=name.startswith("0."))
        for name, p in model.named_parameters()
    ]


def built(subject: Subject, parameters: list[Trained], **changes: Any) -> Any:
    return subject.build(**changes).build(parameters, learning_rate=RATE, device="cpu")


def train(subject: Subject, model: Any, stepping: Any, numbers: range) -> None:
    """As an engine does, with a rate that falls."""
    for number in numbers:
        subject.step.check_cancelled()
        loss(model).backward()
        stepped(stepping, RATE * (1 - number / (2 * STEPS)))


def stepped(stepping: Any, rate: float = RATE) -> None:
    for group in stepping.param_groups:
        group["lr"] = rate * group.get("rate", 1.0)
    stepping.step()
    stepping.zero_grad(set_to_none=True)


def kept(model: Any, stepping: Any) -> dict[str, dict[str, Any]]:
    """What it keeps of each parameter, copied."""
    import torch

    found = {name: stepping.state.get(p, {}) for name, p in model.named_parameters()}
    return {name: {k: v.clone() if torch.is_tensor(v) else v for k, v in entries.items()} for name, entries in found.items()}


def copied(model: Any) -> dict[str, Any]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [name for name in one if not bool((one[name] == other[name]).all())]


def _trained(subject: Subject, steps: int = STEPS) -> tuple[Any, Any]:
    model = network()
    stepping = built(subject, described(model))
    train(subject, model, stepping, range(steps))
    return model, stepping


@action("optimizer")
def work(subject: Subject) -> None:
    """Train a little."""
    for _ in range(5):
        _trained(subject)


@observer("optimizer")
def observe(subject: Subject) -> dict[str, Any]:
    """The weights after a short training, and what is kept of each."""
    model = network(WORDS)
    stepping = built(subject, described(model))
    train(subject, model, stepping, range(STEPS))
    return {"weights": copied(model), "kept": kept(model, stepping)}


@check("optimizer.learns", kind="optimizer", title="with it a small network learns")
def learns(subject: Subject) -> None:
    model, stepping = _trained(subject)
    if hasattr(stepping, "eval"):
        stepping.eval()
    before, after = loss(network()).item(), loss(model).item()
    if not after <= subject.tolerance("optimizer.learns", LEARNT) * before:
        raise CheckFailed(f"after {STEPS} steps at a rate of {RATE} the loss is {after:.4f}; it was {before:.4f}",
                          fix="Go against the gradient; take the rate from the parameter group's `lr`.")  # fmt: skip


@check("optimizer.deterministic", kind="optimizer", title="the same gradients give the same weights")
def deterministic(subject: Subject) -> None:
    if _wavers(subject):
        raise CheckFailed("two trainings that begin alike end with other weights", fix="Draw what is random from a seed in its state.")


def _wavers(subject: Subject) -> bool:
    return bool(differing(copied(_trained(subject)[0]), copied(_trained(subject)[0])))


@check("optimizer.keeps-tensors", kind="optimizer", title="everything it keeps of a parameter is a tensor of its own")
def keeps_tensors(subject: Subject) -> Iterator[CheckFailed]:
    import torch

    model, stepping = _trained(subject, HALF)
    for name, entries in kept(model, stepping).items():
        for key, value in entries.items():
            if not torch.is_tensor(value):
                yield CheckFailed(f"of `{name}` it keeps `{key}`, which is no tensor but {type(value).__name__}",
                                  fix="Checkpoints hold tensors only: count in a tensor, too.")  # fmt: skip
    held = [(f"{name}/{key}", value) for name, p in model.named_parameters() for key, value in stepping.state.get(p, {}).items()]
    places: dict[int, str] = {}
    for name, value in held:
        other = places.setdefault(value.untyped_storage().data_ptr(), name)
        if other != name:
            yield CheckFailed(
                f"`{name}` and `{other}` are one tensor", fix="Checkpoints hold each for itself: keep a copy of each, or none."
            )


@check("optimizer.resumes", kind="optimizer", title="a new one that is given what it kept goes on bit for bit")
def resumes(subject: Subject) -> None:
    if _wavers(subject):
        raise NotRun("two trainings that begin alike differ", where="fix optimizer.deterministic first")
    whole, _ = _trained(subject)
    first, stepping = _trained(subject, HALF)
    entries = kept(first, stepping)
    model = network()
    model.load_state_dict(first.state_dict())
    again = built(subject, described(model))
    for name, parameter in model.named_parameters():
        if entries[name]:
            again.state[parameter] = entries[name]
    train(subject, model, again, range(HALF, STEPS))
    if found := differing(copied(whole), copied(model)):
        raise CheckFailed("stopped and resumed, it ends with other weights than in one go", found=", ".join(found),
                          fix="Keep all that the next step depends on in `state[parameter]`: counts, projections, seeds.")  # fmt: skip


@check("optimizer.rates", kind="optimizer", title="a parameter's factor is that of its steps")
def rates(subject: Subject) -> None:
    def moved(factor: float) -> Any:
        model = network()
        before = copied(model)
        stepping = built(subject, described(model, {"1.weight": factor}))
        loss(model).backward()
        stepped(stepping)
        return {name: float((value - before[name]).double().norm()) for name, value in copied(model).items()}

    whole, half = moved(1.0), moved(0.5)
    for name, expected in (("1.weight", whole["1.weight"] / 2), ("3.weight", whole["3.weight"])):
        if abs(half[name] - expected) > 0.01 * expected:
            raise CheckFailed(f"with half the rate for `1.weight`, `{name}` moves by {half[name]:.3g} in a step, not by {expected:.3g}",
                              fix="Put parameters of one `rate` into a group that says so: see `parameter_groups`.")  # fmt: skip


@check(
    "optimizer.decays",
    kind="optimizer",
    when=lambda record: "weight_decay" in record.schema.get("properties", {}),
    title="weight decay draws what is to be decayed, and nothing else, to zero",
)
def decays(subject: Subject) -> None:
    def after(decay: bool) -> Any:
        model = network()
        stepping = built(subject, described(model, decay=decay), weight_decay=0.1)
        for parameter in model.parameters():
            parameter.grad = parameter.detach().new_zeros(parameter.shape)
        stepped(stepping)
        return copied(model)["1.weight"]

    start = copied(network())["1.weight"]
    if not bool((after(True).abs().sum() < start.abs().sum()).all()):
        raise CheckFailed("with a weight decay of 0.1 and no gradient, weights do not become smaller", fix="Decay those with `decay`.")
    if bool((after(False) != start).any()):
        raise CheckFailed("a parameter that is not to be decayed is", fix="Heed `Trained.decay`: see `parameter_groups`.")


@check("optimizer.leaves-alone", kind="optimizer", title="a parameter without a gradient stays as it is")
def leaves_alone(subject: Subject) -> None:
    model, stepping = _trained(subject, HALF)
    before = copied(model)
    loss(model).backward()
    model[1].weight.grad = None
    stepped(stepping)
    if "1.weight" in differing(before, copied(model)):
        raise CheckFailed("a step changes a parameter that has no gradient", fix="Skip those whose `grad` is None.")


@check(
    "optimizer.estimate",
    kind="optimizer",
    when=lambda record: bool(record.estimator),
    title="its estimator says how many bytes it keeps, within 10%",
)
def estimate(subject: Subject) -> None:
    import torch

    sizes = [(f"layer.{linear.name}.weight", (linear.outputs, linear.inputs)) for linear in SHAPE.linears]
    sizes += [("embedding.weight", (SHAPE.vocabulary, SHAPE.hidden)), *((f"norm.{n}.weight", (SHAPE.hidden,)) for n in "abc")]
    drawn = torch.Generator().manual_seed(0)
    parameters = [
        Trained(name, torch.nn.Parameter(torch.randn(size, generator=drawn)), decay=len(size) > 1, embedding=name.startswith("embedding"))
        for name, size in sizes
    ]
    stepping = built(subject, parameters)
    for one in parameters:
        one.tensor.grad = torch.randn(one.tensor.shape, generator=drawn)
    stepped(stepping)
    tensors = {value.data_ptr(): value for one in parameters for value in stepping.state[one.tensor].values() if torch.is_tensor(value)}
    trainable = sum(one.tensor.numel() for one in parameters)
    actual = sum(value.numel() * value.element_size() for value in tensors.values()) / trainable
    settings = fill(subject.record.schema, subject.values)
    step = {"lr_scheduler_type": "auto", "learning_rate": RATE}
    request = EstimateRequest(CONFIG, settings=settings, step_settings=step, parts={"adapter": {"trainable": float(trainable)}})
    guess = float(dict(subject.estimator()(request)).get("state", -1))
    if abs(guess - actual) > subject.tolerance("optimizer.estimate", ESTIMATE) * max(actual, 0.01):
        raise CheckFailed(f"its estimator says {guess:.3g} bytes a parameter; it keeps {actual:.3g}", fix="Count as `build` does.")
