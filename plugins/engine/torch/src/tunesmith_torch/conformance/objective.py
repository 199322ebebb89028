"""Checks of objectives: what they make of rows, and the mathematics of their loss."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_data.api import read_rows, text_of
from tunesmith_sdk.conformance import CheckFailed, Subject, action, check, observer
from tunesmith_torch.api import (
    LAST,
    AdaptsToExperience,
    Gathers,
    Group,
    KeepsState,
    LearnsFromExperience,
    MicroBatch,
    ReadsFacts,
    ReadsNext,
    TokenSequence,
    TopTokens,
)
from tunesmith_torch.conformance import resume  # noqa: F401  registers its check
from tunesmith_torch.conformance.rollouts import adapted, drawn, pretended

EXACT, ORACLE, GRADIENT = 1e-5, 1e-5, 1e-3  #: relative
HIDDEN = 8  # numbers of a hidden state
STEP = 1e-4  # of the finite differences, in double precision


class PlainChat:
    """An encoder without a tokenizer: a token a byte, one before and one after each message."""

    def encode(
        self, messages: Sequence[Any], tools: Sequence[Any] = (), *, since: int = 0, ends: Sequence[int] = ()
    ) -> TokenSequence:  # fmt: skip
        tokens: list[int] = []
        labels: list[bool] = []
        for number, message in enumerate(messages):
            text = [byte + 3 for byte in text_of(message).encode()]
            wanted = message["role"] == "assistant" and number >= since
            tokens += [1, *text, 2]
            labels += [False, *[wanted] * (len(text) + 1)]
        begin = len(tokens) - len(text_of(messages[-1]).encode()) - 1 if messages else 0
        places = [begin + len(text_of(messages[-1])[:end].encode()) - 1 for end in ends]
        return TokenSequence(tokens, labels, places=places)

    def encode_prompt(self, messages: Sequence[Any], tools: Sequence[Any] = ()) -> TokenSequence:
        tokens = [*self.encode(messages).tokens, 1]
        return TokenSequence(tokens, [False] * len(tokens))

    def encode_text(self, text: str, *, ended: bool = False, ends: Sequence[int] = ()) -> TokenSequence:
        tokens = [1, *(byte + 3 for byte in text.encode()), *[2] * ended]
        return TokenSequence(tokens, [False, *[True] * (len(tokens) - 1)], places=[len(text[:end].encode()) for end in ends])


def _groups(subject: Subject, objective: Any) -> list[Group]:
    return _encoded(objective, list(read_rows(subject.source().path)))


def _encoded(objective: Any, rows: Sequence[Any]) -> list[Group]:
    """Each with the next one, where it reads that; with completions, where it learns from those."""
    if isinstance(objective, LearnsFromExperience):
        return pretended(objective, [objective.encode(row, PlainChat()) for row in rows])
    if isinstance(objective, ReadsNext):
        return [objective.encode_with(row, rows[(at + 1) % len(rows)], PlainChat()) for at, row in enumerate(rows)]
    return [objective.encode(row, PlainChat()) for row in rows]


class Made:
    """Outputs such as an untrained model gives, in double precision; the same for a group wherever it stands."""

    def __init__(self, objective: Any, groups: Sequence[Group], seed: int = 0) -> None:
        self.objective, self.groups, self.seed = objective, list(groups), seed
        self.statistics, self.state = self._statistics()

    def batch(self, own: Sequence[int] | None = None, dtype: str = "float64") -> MicroBatch:
        """The groups `own`, all without."""
        chosen = list(range(len(self.groups)) if own is None else own)
        return self._batch([self.groups[at] for at in chosen], chosen, dtype)

    def _batch(self, groups: Sequence[Group], own: Sequence[int], dtype: str = "float64", *, measured: bool = False) -> MicroBatch:
        import torch

        asks, kind = self.objective.asks, getattr(torch, dtype)
        pieces: dict[str, list[Any]] = {}
        lengths, places = [], []
        for group in groups:
            sequences = (group.measured if measured else ()) or group.sequences
            for number, sequence in enumerate(sequences):
                lengths.append(sum(sequence.labels))
                places.append(len(sequence.tokens) and len(sequence.places) if tuple(sequence.places) != (LAST,) else 1)
                drawn = torch.Generator().manual_seed(self.seed + number + sum(sequence.tokens) % 10007 + 31 * measured)
                for name, shape in self._shapes(lengths[-1], places[-1]).items():
                    value = torch.rand(shape, generator=drawn, dtype=torch.float64)
                    pieces.setdefault(name, []).append(value)
        made = {name: torch.cat(values) for name, values in pieces.items()}
        of_labels = ("policy", "reference", "entropy", "log_sum_sq", "candidates")
        logs = {name: (-0.1 - 3 * made[name]).to(kind) for name in of_labels if name in made}
        if asks.teacher:
            logs["candidates"] = (torch.log_softmax(made["candidates"], 1) - 0.1).to(kind)
        teacher = TopTokens((made["ids"] * 250).long(), torch.log_softmax(made["teacher"], 1).to(kind) - 0.1) if asks.teacher else None
        hidden = (2 * made["hidden"] - 1).to(kind).requires_grad_() if asks.hidden else None
        scores = {head.name: (4 * made[head.name] - 2).to(kind).requires_grad_() for head in asks.heads}
        statistics = self.statistics.to(kind) if getattr(self, "statistics", None) is not None else None
        state = {name: value.to(kind) for name, value in getattr(self, "state", {}).items()}
        return MicroBatch(
            list(groups), lengths, logs["policy"].requires_grad_() if asks.log_probs else None, logs.get("reference"),
            -logs["entropy"] if asks.entropy else None, logs.get("log_sum_sq"), teacher,
            logs["candidates"].requires_grad_() if asks.teacher else None, places if asks.heads or asks.hidden else [],
            scores, hidden, list(own), statistics, state,
        )  # fmt: skip

    def _shapes(self, labels: int, places: int) -> dict[str, tuple[int, ...]]:
        asks = self.objective.asks
        found: dict[str, tuple[int, ...]] = {"policy": (labels,), "reference": (labels,)}
        found |= {"entropy": (labels,)} if asks.entropy else {}
        found |= {"log_sum_sq": (labels,)} if asks.log_sum_sq else {}
        found |= dict.fromkeys(("candidates", "ids", "teacher"), (labels, asks.teacher)) if asks.teacher else {}
        found |= {head.name: (places, head.width) for head in asks.heads}
        return found | ({"hidden": (places, HIDDEN)} if asks.hidden else {})

    def _statistics(self) -> tuple[Any, dict[str, Any]]:
        objective = self.objective
        state = dict(objective.initial_state()) if isinstance(objective, (KeepsState, AdaptsToExperience)) else {}
        if not objective.asks.gathers:
            return None, state
        assert isinstance(objective, Gathers)
        found = objective.gather(self._batch(self.groups, range(len(self.groups)), measured=objective.asks.measured > 0)).detach()
        return found, dict(objective.next_state(state, found)) if isinstance(objective, KeepsState) else state

    @property
    def weight(self) -> float:
        return sum(map(self.objective.weight, self.groups))


def leaves(batch: MicroBatch) -> dict[str, Any]:
    """The outputs with gradients, by name."""
    named = {"policy": batch.policy, "candidates": batch.candidates, "hidden": batch.hidden, **batch.scores}
    return {name: value for name, value in named.items() if value is not None}


def _loss(objective: Any, batch: MicroBatch) -> float:
    result = objective.loss(batch)
    return float((result.total if result.value is None else result.value).detach())


def _gradients(total: Any, batch: MicroBatch) -> dict[str, Any]:
    import torch

    named = leaves(batch)
    found = torch.autograd.grad(total, list(named.values()), allow_unused=True)
    return {name: torch.zeros_like(named[name]) if own is None else own for name, own in zip(named, found, strict=True)}


@action("objective", materials=("rows", "pairs", "judged", "blank"))
def work(subject: Subject) -> None:
    """Encode rows and compute the loss and its gradient."""
    objective = subject.build()
    objective.loss(Made(objective, _groups(subject, objective)).batch()).total.backward()


@observer("objective")
def observe(subject: Subject) -> dict[str, Any]:
    """What it makes of rows, its loss and the gradient."""
    objective, rows = subject.build(), list(read_rows(subject.source().path))
    longer = [{**rows[0], "messages": [*_turns(rows[1]), *rows[0]["messages"]]}] if "messages" in rows[0] else []
    groups = _encoded(objective, [*rows, *longer])
    if isinstance(objective, ReadsFacts):
        objective.read_facts([group.facts for group in groups])
    sampled: Any = None
    if isinstance(objective, LearnsFromExperience):
        sampled = [drawn(objective.asks.sampling), adapted(objective, [objective.encode(row, PlainChat()) for row in rows])]
        with contextlib.suppress(UserError):  # what it scores with need not be here
            objective.open({})
        objective.close()
    batch = Made(objective, groups).batch()
    loss = objective.loss(batch)
    return {
        "groups": groups, "weights": [objective.weight(group) for group in groups], "loss": loss, "asks": objective.asks,
        "gradients": _gradients(loss.total, batch), "sampled": sampled,
    }  # fmt: skip


def _turns(row: Any) -> list[Any]:
    """A row's question and an answer to it, to go before another."""
    messages = list(row["messages"])
    return messages if messages[-1]["role"] == "assistant" else [*messages, *row.get("chosen", row.get("answer", ()))]


@check("objective.encodes", kind="objective", title="its sequences have a label a token, never on the first, and a weight above zero")
def encodes(subject: Subject) -> Iterator[CheckFailed]:
    objective = subject.build()
    for number, group in enumerate(_groups(subject, objective), 1):
        for sequence in group.sequences:
            if len(sequence.tokens) != len(sequence.labels):
                yield CheckFailed(
                    f"row {number}: {len(sequence.tokens)} tokens have {len(sequence.labels)} labels", fix="Give each token one."
                )
            if sequence.labels and sequence.labels[0]:
                yield CheckFailed(f"row {number}: the first token has a label, and nothing before it", fix="Leave it unlabelled.")
        if not any(any(sequence.labels) or sequence.places for sequence in group.sequences):
            yield CheckFailed(f"row {number}: nothing of it has a label or a place", fix="Mark what is to be learned, or refuse the row.")
        if not objective.weight(group) > 0:
            yield CheckFailed(f"row {number}: its weight is {objective.weight(group)}", fix="Give each group its share of the batch.")


@check("objective.sums", kind="objective", title="a batch's loss is the sum of its groups' losses, in whatever order they come")
def sums(subject: Subject) -> Iterator[CheckFailed]:
    objective = subject.build()
    made = Made(objective, _groups(subject, objective))
    numbers = list(range(len(made.groups)))
    whole = _loss(objective, made.batch())
    parts = sum(_loss(objective, made.batch([number])) for number in numbers)
    turned = _loss(objective, made.batch(numbers[::-1]))
    for what, value in (("the sum over its groups", parts), ("the same batch in reverse", turned)):
        if abs(whole - value) > EXACT * max(1.0, abs(whole)):
            yield CheckFailed(f"the loss of a batch is {whole:.6g}, and that of {what} {value:.6g}",
                              fix="Sum over groups, and divide by nothing: the engine does.")  # fmt: skip
    rows = objective.loss(made.batch()).rows
    if rows is not None and (tuple(rows.shape) != (len(numbers),) or abs(whole - float(rows.sum())) > EXACT * max(1.0, abs(whole))):
        yield CheckFailed(f"`rows` are {rows.tolist()} of {len(numbers)} groups, and the loss is {whole:.6g}",
                          fix="Tell one loss for each group, of which the batch's is the sum, or none.")  # fmt: skip


@check("objective.gradient", kind="objective", title="its gradient is that of its loss, by finite differences")
def gradient(subject: Subject) -> None:
    """Where it reports another number than the one with the gradient, that is `objective.formula`'s."""
    import torch

    objective = subject.build()
    batch = Made(objective, _groups(subject, objective)[:2]).batch()
    result = objective.loss(batch)
    if not result.total.requires_grad:
        raise CheckFailed("its loss has no gradient", fix="Compute it from the batch's outputs without detaching.")
    if result.value is not None:
        return
    found = _gradients(result.total, batch)
    for name, values in leaves(batch).items():
        flat = values.detach().flatten()
        for index in range(0, len(flat), max(1, len(flat) // 12)):
            around = []
            for sign in (1, -1):
                moved = flat.clone()
                moved[index] += sign * STEP
                with torch.no_grad():
                    around.append(_loss(objective, _with(batch, name, moved.view_as(values))))
            slope, said = (around[0] - around[1]) / (2 * STEP), float(found[name].flatten()[index])
            if abs(slope - said) > GRADIENT * max(1e-2, abs(slope)):
                raise CheckFailed(f"the loss falls by {slope:.5g} with {name} {index}, and its gradient says {said:.5g}",
                                  fix="Detach nothing that the loss depends on.")  # fmt: skip


def _with(batch: MicroBatch, name: str, values: Any) -> MicroBatch:
    """The batch with other values of an output."""
    if name in batch.scores:
        return replace(batch, scores={**batch.scores, name: values})
    return replace(batch, **{name: values})


@check("objective.stays-finite", kind="objective", title="outputs far from usual give finite losses and gradients")
def stays_finite(subject: Subject) -> None:
    import torch

    objective = subject.build()
    usual = Made(objective, _groups(subject, objective)).batch(dtype="float32")
    for value in (-1e-6, -30.0, -300.0):
        far = usual
        for name, tensor in leaves(usual).items():
            far = _with(far, name, torch.full_like(tensor, value).requires_grad_())
        if far.reference is not None:
            far = replace(far, reference=torch.full_like(far.reference, -1.0))
        total = objective.loss(far).total
        finite = all(bool(torch.isfinite(own).all()) for own in _gradients(total, far).values())
        if not (torch.isfinite(total) and finite):
            raise CheckFailed(f"at outputs of {value:g} the loss is {float(total.detach()):g} or its gradient is not finite",
                              fix="Use `logsigmoid`, `logsumexp` and their like.")  # fmt: skip


@check("objective.declares-what-it-asks", kind="objective", title="its record says what it asks of the model, and of others for it")
def declares(subject: Subject) -> Iterator[CheckFailed]:
    objective = subject.build()
    wanted, said = ({(need.of, need.capability) for need in needs} for needs in (objective.asks.needs, subject.record.needs))
    for of, capability in wanted - said:
        yield CheckFailed(f"it needs `{capability}` of the {of}, and its record does not say so", fix="Declare `needs=asks(...).needs`.")
    for of, capability in said - wanted:
        if capability in ("reference", "outputs.any", "sampling"):
            yield CheckFailed(
                f"its record needs `{capability}` of the {of}, and it does not ask for it", fix="Declare `needs=asks(...).needs`."
            )
    for name in ("reference", "teacher"):
        if bool(objective.asks.facts.get(name)) != bool(subject.record.facts.get(name)):
            yield CheckFailed(f"its record's fact `{name}` is not what it asks for", fix="Declare `facts=asks(...).facts | {...}`.")
    if bool(objective.asks.sampling) != isinstance(objective, LearnsFromExperience):
        yield CheckFailed("it asks for samples and has no `score` and `learn`, or the other way round", fix="Have both, or neither.")
    if objective.asks.gathers and not isinstance(objective, Gathers):
        yield CheckFailed("it asks for statistics of the batch, and has no `gather`", fix="Give it one, or leave `statistics` at 0.")
    if isinstance(objective, Gathers) and not objective.asks.gathers:
        yield CheckFailed("it has `gather`, and asks for no statistics", fix="Say in `asks` how many numbers it gives for a group.")


@check("objective.refuses-rows", kind="objective", title="a row that it can't use is refused by a coded error")
def refuses(subject: Subject) -> None:
    objective = subject.build()
    (first, *_) = read_rows(subject.source().path)
    for broken in _without_what_counts(first):
        try:
            objective.encode(broken, PlainChat())
        except TunesmithError:
            continue
        except Exception as error:
            raise CheckFailed(f"a row without an answer is refused by {type(error).__name__}", found=str(error),
                              fix="Raise `UserError` with a code of TS-DATA.") from error  # fmt: skip


def _without_what_counts(row: Any) -> Iterator[dict[str, Any]]:
    """A conversation without turns, and without answers; a row of texts without them."""
    if "messages" not in row:
        yield {key: type(value)() if isinstance(value, (str, list)) else value for key, value in row.items()}
        return
    yield {**row, "messages": []}
    yield {**row, "messages": row["messages"][:1], **{key: [] for key in ("chosen", "rejected", "completions", "labels") if key in row}}


@check("objective.formula", kind="objective", title="micro-batches of one group each have, together, the loss and gradients of its formula")
def formula(subject: Subject) -> None:
    import torch

    objective = subject.build()
    for seed in range(3):
        made = Made(objective, _groups(subject, objective), seed)
        whole = made.batch()
        expected = objective.formula(whole)
        wanted = _gradients(expected, whole)
        total, pieces = 0.0, {name: [] for name in wanted}
        for number in range(len(made.groups)):
            batch = made.batch([number])
            total += _loss(objective, batch)
            for name, own in _gradients(objective.loss(batch).total, batch).items():
                pieces[name].append(own)
        found = {name: torch.cat(own) / made.weight for name, own in pieces.items()}
        _compare(subject, "objective.formula", "the formula", total / made.weight, found, float(expected.detach()), wanted)


@check("objective.oracle", kind="objective", level="gold", title="loss and gradients equal those of its author's oracle")
def oracle(subject: Subject) -> None:
    objective = subject.build()
    for seed in range(3):
        made = Made(objective, _groups(subject, objective), seed)
        batch, other = made.batch(), made.batch()
        result = objective.loss(batch)
        expected = subject.author("oracle", other)
        wanted = _gradients(expected, other)
        _compare(
            subject,
            "objective.oracle",
            "the oracle",
            _loss(objective, batch),
            _gradients(result.total, batch),
            float(expected.detach()),
            wanted,
        )


def _compare(
    subject: Subject, check: str, whose: str, loss: float, found: dict[str, Any], expected: float, wanted: dict[str, Any]
) -> None:  # fmt: skip
    limit = subject.tolerance(check, ORACLE)
    if not abs(loss - expected) <= limit * max(1.0, abs(expected)):
        raise CheckFailed(f"the loss is {loss:.7g}, and that of {whose} {expected:.7g}", fix="Compare term by term.")
    for name, right in wanted.items():
        apart = float((found[name] - right).abs().max()) if right.numel() else 0.0
        if not apart <= limit * max(float(right.abs().max()) if right.numel() else 0.0, 1e-9):
            raise CheckFailed(f"the gradients of {name} differ from those of {whose} by {apart:.2g}", fix="Compare term by term.")
