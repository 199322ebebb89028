"""Checks of objectives: what they make of rows, and the mathematics of their loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.contracts import TunesmithError
from tunesmith_data.api import read_rows, text_of
from tunesmith_sdk.conformance import CheckFailed, Subject, action, check, observer
from tunesmith_torch.api import Group, LogProbs, TokenSequence

EXACT, ORACLE, GRADIENT = 1e-5, 1e-5, 1e-3  #: relative
STEP = 1e-4  # of the finite differences, in double precision


class PlainChat:
    """An encoder without a tokenizer: a token a byte, one before and one after each message."""

    def encode(self, messages: Sequence[Any], tools: Sequence[Any] = (), *, since: int = 0) -> TokenSequence:
        tokens: list[int] = []
        labels: list[bool] = []
        for number, message in enumerate(messages):
            text = [byte + 3 for byte in text_of(message).encode()]
            wanted = message["role"] == "assistant" and number >= since
            tokens += [1, *text, 2]
            labels += [False, *[wanted] * (len(text) + 1)]
        return TokenSequence(tokens, labels)


def _groups(subject: Subject, objective: Any) -> list[Group]:
    return [objective.encode(row, PlainChat()) for row in read_rows(subject.source().path)]


def _batch(objective: Any, groups: Sequence[Group], seed: int = 0) -> LogProbs:
    """Log-probabilities such as an untrained model gives, in double precision; the same for a group wherever it stands."""
    import torch

    lengths = [sum(sequence.labels) for group in groups for sequence in group.sequences]
    pieces, references = [], []
    for group in groups:
        own = torch.Generator().manual_seed(seed + sum(sum(s.tokens) for s in group.sequences) % 10007)
        count = sum(sum(s.labels) for s in group.sequences)
        pieces.append(-0.1 - 3 * torch.rand(count, generator=own, dtype=torch.float64))
        references.append(-0.1 - 3 * torch.rand(count, generator=own, dtype=torch.float64))
    policy = torch.cat(pieces).requires_grad_()
    return LogProbs(policy, torch.cat(references) if objective.needs_reference else None, lengths, list(groups))


def _loss(objective: Any, batch: LogProbs) -> float:
    return float(objective.loss(batch).total.detach())


@action("objective", materials=("rows", "pairs"))
def work(subject: Subject) -> None:
    """Encode rows and compute the loss and its gradient."""
    objective = subject.build()
    objective.loss(_batch(objective, _groups(subject, objective))).total.backward()


@observer("objective")
def observe(subject: Subject) -> dict[str, Any]:
    """What it makes of rows, its loss and the gradient."""
    objective, rows = subject.build(), list(read_rows(subject.source().path))
    groups = [objective.encode(row, PlainChat()) for row in [*rows, {**rows[0], "messages": [*_turns(rows[1]), *rows[0]["messages"]]}]]
    batch = _batch(objective, groups)
    loss = objective.loss(batch)
    loss.total.backward()
    return {"groups": groups, "weights": [objective.weight(group) for group in groups], "loss": loss, "gradient": batch.policy.grad}


def _turns(row: Any) -> list[Any]:
    """A row's question and an answer to it, to go before another."""
    messages = list(row["messages"])
    return messages if messages[-1]["role"] == "assistant" else [*messages, *row["chosen"]]


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
        if not any(any(sequence.labels) for sequence in group.sequences):
            yield CheckFailed(f"row {number}: nothing of it has a label", fix="Label what is to be learned, or refuse the row.")
        if not objective.weight(group) > 0:
            yield CheckFailed(f"row {number}: its weight is {objective.weight(group)}", fix="Give each group its share of the batch.")


@check("objective.sums", kind="objective", title="a batch's loss is the sum of its groups' losses, in whatever order they come")
def sums(subject: Subject) -> Iterator[CheckFailed]:
    objective = subject.build()
    groups = _groups(subject, objective)
    whole = _loss(objective, _batch(objective, groups))
    parts = sum(_loss(objective, _batch(objective, [group])) for group in groups)
    turned = _loss(objective, _batch(objective, groups[::-1]))
    for what, value in (("the sum over its groups", parts), ("the same batch in reverse", turned)):
        if abs(whole - value) > EXACT * max(1.0, abs(whole)):
            yield CheckFailed(f"the loss of a batch is {whole:.6g}, and that of {what} {value:.6g}",
                              fix="Sum over groups, and divide by nothing: the engine does.")  # fmt: skip


@check("objective.gradient", kind="objective", title="its gradient is that of its loss, by finite differences")
def gradient(subject: Subject) -> None:
    import torch

    objective = subject.build()
    batch = _batch(objective, _groups(subject, objective)[:2])
    objective.loss(batch).total.backward()
    policy = batch.policy.detach()
    found = batch.policy.grad
    if found is None:
        raise CheckFailed("its loss has no gradient", fix="Compute it from `batch.policy` without detaching.")
    chosen = list(range(0, len(policy), max(1, len(policy) // 12)))
    for index in chosen:
        around = []
        for sign in (1, -1):
            moved = policy.clone()
            moved[index] += sign * STEP
            with torch.no_grad():
                around.append(_loss(objective, LogProbs(moved, batch.reference, batch.lengths, batch.groups)))
        slope = (around[0] - around[1]) / (2 * STEP)
        if abs(slope - float(found[index])) > GRADIENT * max(1e-2, abs(slope)):
            raise CheckFailed(f"the loss falls by {slope:.5g} with token {index}, and its gradient says {float(found[index]):.5g}",
                              fix="Detach nothing that the loss depends on.")  # fmt: skip


@check("objective.stays-finite", kind="objective", title="log-probabilities far from usual give finite losses and gradients")
def stays_finite(subject: Subject) -> None:
    import torch

    objective = subject.build()
    usual = _batch(objective, _groups(subject, objective))
    for value in (-1e-6, -30.0, -300.0):
        policy = torch.full((len(usual.policy),), value, dtype=torch.float32, requires_grad=True)
        reference = None if usual.reference is None else torch.full_like(usual.reference, -1.0, dtype=torch.float32)
        total = objective.loss(LogProbs(policy, reference, usual.lengths, usual.groups)).total
        total.backward()
        if not (torch.isfinite(total) and torch.isfinite(policy.grad).all()):
            raise CheckFailed(f"at log-probabilities of {value:g} the loss is {float(total):g} or its gradient is not finite",
                              fix="Use `logsigmoid`, `logsumexp` and their like.")  # fmt: skip


@check("objective.declares-its-reference", kind="objective", title="it declares a need of `reference` exactly if it uses one")
def declares(subject: Subject) -> None:
    objective = subject.build()
    declared = any(need.of == "adapter" and need.capability == "reference" for need in subject.record.needs)
    if bool(objective.needs_reference) != declared:
        said = "declares" if declared else "does not declare"
        raise CheckFailed(f"`needs_reference` is {objective.needs_reference}, and its record {said} the need",
                          fix='Declare Need("adapter", "reference", ...), or set `needs_reference`.')  # fmt: skip


@check("objective.refuses-rows", kind="objective", title="a row that it can't use is refused by a coded error")
def refuses(subject: Subject) -> None:
    objective = subject.build()
    (first, *_) = read_rows(subject.source().path)
    for broken in (
        {**first, "messages": []},
        {**first, "messages": first["messages"][:1], **{k: [] for k in ("chosen", "rejected") if k in first}},
    ):
        try:
            objective.encode(broken, PlainChat())
        except TunesmithError:
            continue
        except Exception as error:
            raise CheckFailed(f"a row without an answer is refused by {type(error).__name__}", found=str(error),
                              fix="Raise `UserError` with a code of TS-DATA.") from error  # fmt: skip


@check("objective.oracle", kind="objective", level="gold", title="loss and gradients equal those of its author's oracle")
def oracle(subject: Subject) -> None:
    import torch

    objective = subject.build()
    for seed in range(3):
        batch = _batch(objective, _groups(subject, objective), seed)
        total = objective.loss(batch).total
        (mine,) = torch.autograd.grad(total, batch.policy)
        policy = batch.policy.detach().clone().requires_grad_()
        expected = subject.author("oracle", policy, batch.reference, batch.lengths, batch.groups)
        (wanted,) = torch.autograd.grad(expected, policy)
        limit = subject.tolerance("objective.oracle", ORACLE)
        if abs(float((total - expected).detach())) > limit * max(1.0, abs(float(expected))):
            raise CheckFailed(f"the loss is {float(total):.7g}, and the oracle's {float(expected):.7g}", fix="Compare term by term.")
        if float((mine - wanted).abs().max()) > limit * max(1.0, float(wanted.abs().max())):
            raise CheckFailed(
                f"gradients differ from the oracle's by {float((mine - wanted).abs().max()):.2g}", fix="Compare term by term."
            )
