"""Checks of adapters: what trains, what stays, what is saved, how it merges; on a tiny model that knows something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.contracts import BeginsFromData, BringsBase, EstimateRequest, ModulesOnly, OwnRates, Penalising, Stepping
from tunesmith.contracts.kinds.adapter import KnowsBase
from tunesmith_sdk.conformance.bench.subject import Subject, contents, differing
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check, has

STEPS, RATE = 3, 0.05
OBSERVED, PASSES = 10, 4  # steps of a training that is observed; passes over data that it may begin from
MERGE = 1e-4  #: largest difference of logits, relative to the largest logit
LOAD = 1e-6
ESTIMATE = 0.01  #: of the parameters that train


@action("adapter", materials=("taught", "blank", "rows"))
def work(subject: Subject) -> None:
    """Attach, train a little, save."""
    adapter, model = _trained(subject)
    adapter.save(model, subject.step.output)


def _attached(subject: Subject, *, reference: bool = False, seed: int = 1) -> tuple[Any, Any]:
    adapter = subject.build()
    model = _base(subject, adapter)
    adapter.attach(model, seed=seed, reference=reference)
    return adapter, model


def _base(subject: Subject, adapter: Any = None) -> Any:
    """A fresh tiny model, as the adapter wants it loaded."""
    adapter = adapter or subject.build()
    if isinstance(adapter, KnowsBase):
        adapter.base_at(Path(subject.material("taught")))
    if not isinstance(adapter, BringsBase):
        return subject.model()
    import torch

    return adapter.load_base(Path(subject.material("taught")), torch.device("cpu")).eval()


def _tokens() -> Any:
    import torch

    return torch.arange(3, 27).reshape(2, 12)


def _train(subject: Subject, model: Any) -> None:
    import torch

    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=RATE)
    model.train()
    for _ in range(STEPS):
        subject.step.check_cancelled()
        optimizer.zero_grad()
        model(_tokens(), labels=_tokens()).loss.backward()
        optimizer.step()
    model.eval()


def _trained(subject: Subject, *, reference: bool = False) -> tuple[Any, Any]:
    adapter, model = _attached(subject, reference=reference)
    _train(subject, model)
    return adapter, model


@observer("adapter")
def observe(subject: Subject) -> dict[str, Any]:
    """A short training as an engine drives it; then what is saved, loaded and merged computes."""
    import torch

    torch.manual_seed(1)
    adapter, model = _attached(subject)
    if isinstance(adapter, BeginsFromData):
        with torch.no_grad():
            adapter.begin(model, [lambda shift=shift: model(_tokens() + shift) and None for shift in range(PASSES)])  # type: ignore[misc]
    rates = adapter.rates(model) if isinstance(adapter, OwnRates) else {}
    groups = [{"params": [p], "lr": RATE * rates.get(name, 1.0)} for name, p in model.named_parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(groups)
    model.train()
    for done in range(1, OBSERVED + 1):
        optimizer.zero_grad()
        loss = model(_tokens(), labels=_tokens()).loss
        (loss + adapter.penalty(model) if isinstance(adapter, Penalising) else loss).backward()
        optimizer.step()
        if isinstance(adapter, Stepping):
            adapter.stepped(model, done, OBSERVED)
    model.eval()
    adapter.save(model, subject.step.output)
    again = _base(subject, loading := subject.build())
    loading.load(again, subject.step.output)
    found = {"trained": _logits(model), "loaded": _logits(again)}
    return found | ({"merged": dict(loading.merge(again).named_parameters())} if has("merge")(subject.record) else {})


def _logits(model: Any, tokens: Any = None) -> Any:
    import torch

    model.eval()
    with torch.no_grad():
        return model(_tokens() if tokens is None else tokens).logits.float()


def _apart(one: Any, other: Any) -> float:
    return float((one - other).abs().max() / one.abs().max())


@check("adapter.trains", kind="adapter", title="every parameter that it declares to train gets a gradient, and training changes the model")
def trains(subject: Subject) -> None:
    _, model = _attached(subject)
    before = _logits(model)
    declared = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not declared:
        raise CheckFailed("after `attach` nothing trains", fix="Set `requires_grad` on what is to train.")
    seen = dict.fromkeys(declared, False)
    for _ in range(2):  # at the first step a factor may be zero, and with it the other one's gradient
        _train(subject, model)
        seen |= {name: True for name, p in declared.items() if p.grad is not None and bool(p.grad.abs().max() > 0)}
    idle = [name for name, moved in seen.items() if not moved]
    if idle:
        raise CheckFailed(f"{len(idle)} of {len(declared)} trainable parameters get no gradient", found=", ".join(idle[:4]),
                          fix="Freeze what the model does not use, or use it.")  # fmt: skip
    if _apart(before, _logits(model)) == 0:
        raise CheckFailed("training does not change what the model computes", fix="Let what trains enter the forward pass.")


@check("adapter.frozen-stay-bit-equal", kind="adapter", title="what it does not declare to train is bit for bit as before")
def frozen_stay(subject: Subject) -> None:
    import torch

    _, model = _attached(subject)
    tensors = lambda: {**dict(model.named_parameters()), **dict(model.named_buffers())}  # noqa: E731
    frozen = {name: value.detach().clone() for name, value in tensors().items() if not value.requires_grad}
    _train(subject, model)
    changed = [name for name, value in frozen.items() if name not in tensors() or not torch.equal(value, tensors()[name])]
    if changed:
        raise CheckFailed(f"{len(changed)} frozen tensors change in training", found=", ".join(changed[:4]),
                          fix="Write to nothing in the forward pass that is not to train.")  # fmt: skip


@check("adapter.starts-from-the-seed", kind="adapter", title="the same seed gives the same start, bit for bit, whatever was drawn before")
def seeded(subject: Subject) -> None:
    import torch

    states = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        states.append(_attached(subject)[1].state_dict())
    unequal = [name for name, value in states[0].items() if not torch.equal(value, states[1][name])]
    if unequal:
        raise CheckFailed("two attachments with one seed differ", found=", ".join(unequal[:4]),
                          fix="Draw from a generator that is made of `seed`.")  # fmt: skip


@check("adapter.round-trip", kind="adapter", title="saved and loaded onto a bare base, it gives equal logits")
def round_trip(subject: Subject) -> None:
    adapter, model = _trained(subject)
    folder, loading = subject.folder("saved"), subject.build()
    fresh = _base(subject, loading)
    adapter.save(model, folder)
    loading.load(fresh, folder)
    apart = _apart(_logits(model), _logits(fresh))
    if apart > subject.tolerance("adapter.round-trip", LOAD):
        raise CheckFailed("loaded, it computes something else than what was saved", found=f"logits {apart:.2g} apart",
                          fix="Save everything that trains, and load it to where it was.")  # fmt: skip


@check(
    "adapter.files-are-portable",
    kind="adapter",
    title="its files are safetensors and text, the same at every saving, without absolute paths",
)
def portable(subject: Subject) -> Iterator[CheckFailed]:
    adapter, model = _trained(subject)
    folders = [subject.folder("saved"), subject.folder("saved")]
    for folder in folders:
        adapter.save(model, folder)
    if what := differing(*map(contents, folders)):
        yield CheckFailed(f"two savings of one model differ in {what}", fix="Write no time, no path and no random name.")
    for path in sorted(path for path in folders[0].rglob("*") if path.is_file()):
        if path.suffix in (".bin", ".pt", ".pth", ".pkl", ".ckpt"):
            yield CheckFailed(f"{path.name} is a pickle, which runs code when it is loaded", fix="Write weights as safetensors.")
        if str(folders[0]).encode() in path.read_bytes() or str(subject.material("taught")).encode() in path.read_bytes():
            yield CheckFailed(f"{path.name} holds an absolute path of this machine", fix="Leave it out, or write it relative.")


@check(
    "adapter.merges",
    kind="adapter",
    when=has("merge"),
    title="merged, the plain model's logits equal the unmerged ones within the tolerance",
)
def merges(subject: Subject) -> None:
    adapter, model = _trained(subject)
    before = _logits(model)
    names = set(_base(subject).state_dict())
    merged = adapter.merge(model)
    apart, limit = _apart(before, _logits(merged)), subject.tolerance("adapter.merges", MERGE)
    if apart > limit:
        raise CheckFailed(f"merging changes the logits by {apart:.2g} of the largest, more than {limit:g}",
                          fix="Fold in exactly what the forward pass adds, scale included.")  # fmt: skip
    extra = sorted(set(merged.state_dict()) - names)
    if extra:
        raise CheckFailed("the merged model is no plain one: it has tensors that the base has not", found=", ".join(extra[:4]),
                          fix="Put the plain modules back.")  # fmt: skip


@check(
    "adapter.gives-back-the-reference",
    kind="adapter",
    when=has("reference"),
    title="`reference` computes as before training, and afterwards nothing is lost",
)
def gives_back(subject: Subject) -> None:
    before = _logits(_base(subject))
    adapter, model = _trained(subject, reference=True)
    trained = _logits(model)
    with adapter.reference(model) as reference:
        apart = _apart(before, _logits(reference))
    if apart > subject.tolerance("adapter.gives-back-the-reference", LOAD):
        raise CheckFailed("within `reference` the model is not what it was before training", found=f"logits {apart:.2g} apart",
                          fix="Switch off all that training changed, or keep a copy.")  # fmt: skip
    if _apart(trained, _logits(model)) > 0:
        raise CheckFailed("after `reference` the trained model is another one", fix="Put everything back when the block ends.")


@check("adapter.packed", kind="adapter", title="a row of several sequences packed together gives what each gives alone")
def packed(subject: Subject) -> None:
    import torch

    _, model = _trained(subject)
    pieces = [torch.arange(3, 12)[None], torch.arange(20, 25)[None]]

    def gap(model: Any) -> float:
        positions = torch.cat([torch.arange(piece.shape[1])[None] for piece in pieces], 1)
        with torch.no_grad():
            row = model(torch.cat(pieces, 1), position_ids=positions, use_cache=False).logits
        return _apart(torch.cat([_logits(model, piece) for piece in pieces], 1), row)

    limit = subject.tolerance("adapter.packed", MERGE)
    if gap(_base(subject)) > limit:
        raise NotRun("the base itself mixes packed sequences under this version of transformers", where="transformers>=5")
    if gap(model) > limit:
        raise CheckFailed(f"packed sequences see one another: logits {gap(model):.2g} apart", fix="Change each token by itself.")


@check(
    "adapter.estimate",
    kind="adapter",
    when=lambda record: bool(record.estimator),
    title="its estimator says how many parameters train, within 1%",
)
def estimate(subject: Subject) -> None:
    config = json.loads(Path(subject.material("taught"), "config.json").read_text())
    _, model = _attached(subject)
    actual = sum(p.numel() for p in model.parameters() if p.requires_grad)
    from tunesmith.contracts.settings import fill

    said = subject.estimator()(EstimateRequest(config, settings=fill(subject.record.schema, subject.values)))
    guess = float(dict(said).get("trainable", -1))
    if abs(guess - actual) > subject.tolerance("adapter.estimate", ESTIMATE) * actual:
        raise CheckFailed(f"its estimator says {guess:.0f} parameters train; {actual} do", fix="Count as `attach` does.")
    adapter = subject.build()
    modules_only = isinstance(adapter, ModulesOnly) and adapter.modules_only
    if modules_only != bool(said.get("modules_only")):
        raise CheckFailed(f"`modules_only` is {modules_only}, and its estimator says {said.get('modules_only', 0.0):g}",
                          fix='Let the estimator give "modules_only": 1.0 exactly where the class has `modules_only = True`.')  # fmt: skip
