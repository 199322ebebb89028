"""What a batch of groups comes to on this rank: loss and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from tunesmith.contracts import Adapter, Penalising, Training, TunesmithError
from tunesmith_torch.api import (
    AdaptsToExperience,
    Gathers,
    Group,
    KeepsState,
    LossSum,
    Mean,
    MicroBatch,
    Objective,
    TokenSequence,
    TopTokens,
)
from tunesmith_torch.data.packing import Packed, Wanted, nothing, pack, places_of, size
from tunesmith_torch.data.reference_log_probs import ReferencedGroup
from tunesmith_torch.model.log_probs import CANDIDATES, ENTROPY, LOG_PROBS, LOG_SUM_SQ, TOP_IDS, TOP_LOG_PROBS
from tunesmith_torch.model.outputs import HIDDEN, of_head
from tunesmith_torch.training.trainable_model import REFERENCE, TEACHER, TrainableModel

PENALTY = "penalty"  #: the metric: what an adapter adds to the loss, which itself stays the objective's
Outputs = Mapping[str, torch.Tensor]


class MicroBatches(Sequence[Packed]):
    """Micro-batches of groups, packed when they are asked for; `under_way` is the one that was asked for last.

    Args:
        teacher: of each micro-batch, where there is one.
        measured: of the groups' measured sequences, where they have some.
    """

    def __init__(
        self, groups: Sequence[Sequence[Group]], trainable: TrainableModel, device: torch.device, wanted: Wanted, *,
        teacher: Sequence[TopTokens] = (), measured: bool = False,
    ) -> None:  # fmt: skip
        self.groups, self.under_way, self.measured = groups, 0, measured
        self._trainable, self._device, self.wanted, self._teacher = trainable, device, wanted, teacher

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, at):  # type: ignore[no-untyped-def]
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        groups = self.groups[at]
        self.under_way = at
        ids = self._teacher[at].ids if self._teacher else None
        sequences = sequences_of(groups, measured=self.measured)
        if not any(map(size, sequences)):
            return nothing(self._device, self.wanted, 0 if ids is None else ids.shape[1])
        packed = pack(
            sequences, self._device, share=self._trainable.packed, share_media=self._trainable.shares_media,
            inputs_of=self._trainable.inputs_of, wanted=self.wanted, whole=self._trainable.whole,
        )  # fmt: skip
        return packed if ids is None else replace(packed, candidates=ids)

    def of(self, wanted: Wanted, *, teacher: Sequence[TopTokens] = (), measured: bool = False) -> MicroBatches:
        """The same groups, with other outputs wanted of them."""
        return MicroBatches(self.groups, self._trainable, self._device, wanted, teacher=teacher, measured=measured)


def sequences_of(groups: Sequence[Group], *, measured: bool = False) -> list[TokenSequence]:
    """Those that train, or those that are measured."""
    return [sequence for group in groups for sequence in ((measured and group.measured) or group.sequences)]


@dataclass
class Beside:
    """What a batch's losses are computed from, beside the outputs of the model in training.

    Args:
        references, teachers: by micro-batch.
        own: of each micro-batch, which groups of the batch it has.
    """

    references: Sequence[torch.Tensor | None]
    teachers: Sequence[TopTokens]
    own: Sequence[Sequence[int]]
    statistics: torch.Tensor | None
    state: Mapping[str, torch.Tensor]


class BatchLoss:
    """An objective's loss under a model in training.

    Args:
        sum_ranks: of a tensor, over the shares of a batch.
        example: a group, of which the objective is asked what it reports.
        precomputed: whether groups have the reference's log-probabilities with them (see `reference_log_probs.ReferencedGroup`).
    """

    def __init__(
        self, training: Training, objective: Objective, adapter: Adapter, device: torch.device, example: Group,
        sum_ranks: Callable[[torch.Tensor], torch.Tensor], *, precomputed: bool = False,
    ) -> None:  # fmt: skip
        self.training, self.objective, self.adapter, self.device, self.sum_ranks = training, objective, adapter, device, sum_ranks
        self.precomputed = precomputed
        self.trainable: TrainableModel = training.model
        asks = objective.asks
        temperature = asks.sampling.temperature if asks.sampling else 1.0
        self.asks = asks
        self.wanted = Wanted(asks.log_probs, asks.entropy, asks.log_sum_sq, 0, tuple(asks.heads), asks.hidden, temperature)
        self.only_log_probs = Wanted(temperature=temperature)
        self.reported = self._reported(example)
        self.metrics = self.reported | ({PENALTY: 1} if isinstance(adapter, Penalising) else {})

    @property
    def hidden_size(self) -> int:
        """Of the model's hidden states."""
        return int(self.trainable.model.config.get_text_config().hidden_size)

    def initial_state(self) -> Mapping[str, torch.Tensor]:
        """The objective's before the first batch."""
        return self.objective.initial_state() if isinstance(self.objective, (KeepsState, AdaptsToExperience)) else {}

    def nothing(self, *, judged: bool = False) -> torch.Tensor:
        """(1 + 2 metrics,) zeros: the sums over no group; `judged`: as `judge` gives them."""
        return torch.zeros(1 + 2 * sum((self.reported if judged else self.metrics).values()), device=self.device)

    def micro_batches(self, groups: Sequence[Sequence[Group]]) -> MicroBatches:
        """Those of `groups`, one each."""
        return MicroBatches(groups, self.trainable, self.device, self.wanted)

    @torch.no_grad()
    def beside(
        self, batches: MicroBatches, own: Sequence[Sequence[int]], count: int, state: Mapping[str, torch.Tensor], *, train: bool
    ) -> tuple[Beside, MicroBatches]:  # fmt: skip
        """What the losses of a batch of `count` groups need of other models and of the batch as a whole; and the micro-batches to train on.

        Args:
            own: of each micro-batch, which groups of the batch it has.
            train: whether the objective's state goes on.
        """
        references, teachers = self.references(batches), self._teachers(batches)
        found = Beside(references, teachers, own, None, state)
        if self.asks.gathers:
            found.statistics = self._statistics(batches, found, count)
            if train and isinstance(self.objective, KeepsState):
                found.state = self.objective.next_state(state, found.statistics)
        return found, batches.of(self.wanted, teacher=teachers)

    def train(
        self, output: Outputs, groups: Sequence[Group], beside: Beside, at: int, weight: float, *, penalised: bool
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """For a micro-batch of a batch of `weight`: a scalar with the gradients to take, (1 + 2 metrics,) the summed loss and metrics, and
        (groups,) the loss of each group; None where the objective does not tell.

        Args:
            output: with gradients.
            penalised: with the adapter's penalty, which is there once in a batch.
        """
        penalty = self._penalty(penalised)
        if not groups:
            return sum(value.sum() * 0 for value in output.values() if value.requires_grad) + sum(penalty), self.nothing(), None
        result = self.objective.loss(self.micro_batch(output, groups, beside, at))
        counted = torch.full((), weight if penalised else 0.0, device=self.device)
        noted = [number.reshape(1) for term in penalty for number in (term.detach() * counted, counted)]
        rows = None if result.rows is None else result.rows.detach().float()
        return result.total / weight + sum(penalty), torch.cat([*self._sums(result, groups), *noted]), rows

    @torch.no_grad()
    def judge(self, batches: MicroBatches, at: int, beside: Beside) -> torch.Tensor:
        """(1 + 2 reported,) of the micro-batch `at`: the sums of the loss and what the objective reports, in evaluation mode."""
        (output,), groups = self.training.forward(batches[at : at + 1]), batches.groups[at]
        if not groups:
            return self.nothing(judged=True)
        return torch.cat(self._sums(self.objective.loss(self.micro_batch(output, groups, beside, at)), groups))

    def means(self, sums: torch.Tensor, weight: float) -> tuple[float, dict[str, float]]:
        """The loss and the metrics, of sums over all ranks of a batch of `weight`; without those of which there was nothing in it."""
        total, *numbers = sums.tolist()
        found: dict[str, float] = {}
        for name, width in self.metrics.items():  # in validation there is no penalty
            values, counts, numbers = numbers[:width], numbers[width : 2 * width], numbers[2 * width :]
            if quotients := [value / count for value, count in zip(values, counts, strict=True) if count]:
                found[name] = sum(quotients) / len(quotients)
        return total / weight, found

    def micro_batch(self, output: Outputs, groups: Sequence[Group], beside: Beside, at: int, *, measured: bool = False) -> MicroBatch:
        """What the objective is given.

        Raises:
            TunesmithError: TS-TRAIN-092 when the strategy's model does not give what it asks for.
        """
        if self.asks.log_sum_sq and LOG_SUM_SQ not in output:
            raise TunesmithError(
                "TS-TRAIN-092", "The strategy's model gives no sums of squared probabilities, and the objective's settings ask for them",
                fix="Use the strategy `single`, `ddp`, `fsdp` or `deepspeed`, or leave out the setting that asks (`use_weighting`).",
            )  # fmt: skip
        sequences = sequences_of(groups, measured=measured)
        places = [len(places_of(sequence)) for sequence in sequences] if self.asks.heads or self.asks.hidden else []
        return MicroBatch(
            groups, [sum(sequence.labels[1:]) for sequence in sequences], output.get(LOG_PROBS), beside.references[at],
            output.get(ENTROPY), output.get(LOG_SUM_SQ), beside.teachers[at] if beside.teachers else None, output.get(CANDIDATES), places,
            {head.name: output[of_head(head.name)] for head in self.asks.heads}, output.get(HIDDEN), beside.own[at], beside.statistics,
            beside.state,
        )  # fmt: skip

    def measured(self, groups: Sequence[Group], *, beside: bool) -> list[Outputs]:
        """Of each group by the model as it is, in evaluation mode, without gradients: `LOG_PROBS` of its labels.

        Args:
            beside: also what the heads say, by their names, and the `REFERENCE`'s log-probabilities, of those that the objective asks for.
        """
        batches = self.micro_batches([[group] for group in groups])
        heads = tuple(self.asks.heads) if beside else ()
        outputs = self.training.forward(batches.of(replace(self.only_log_probs, heads=heads)))
        found: list[dict[str, torch.Tensor]] = [
            {LOG_PROBS: output[LOG_PROBS], **{head.name: output[of_head(head.name)][:, 0] for head in heads}} for output in outputs
        ]
        if beside and self.asks.reference:
            for own, reference in zip(found, self._by_reference(batches), strict=True):
                own[REFERENCE] = reference
        return list(found)

    def references(self, batches: MicroBatches) -> Sequence[torch.Tensor | None]:
        """Log-probabilities by the reference; Nones where the objective does not ask."""
        if not self.asks.compares:
            return [None] * len(batches)
        if self.precomputed:
            return [torch.tensor(_known(groups, measured=batches.measured), device=self.device) for groups in batches.groups]
        return self._by_reference(batches)

    def _by_reference(self, batches: MicroBatches) -> list[torch.Tensor]:
        with self.trainable.before_training(self.adapter):
            return [output[LOG_PROBS] for output in self.training.forward(batches.of(self.only_log_probs, measured=batches.measured))]

    def _teachers(self, batches: MicroBatches) -> Sequence[TopTokens]:
        if not self.asks.teacher:
            return ()
        with self.trainable.asking(TEACHER):
            outputs = self.training.forward(batches.of(Wanted(top=self.asks.teacher)))
        return [TopTokens(output[TOP_IDS], output[TOP_LOG_PROBS]) for output in outputs]

    def _statistics(self, batches: MicroBatches, beside: Beside, count: int) -> torch.Tensor:
        assert isinstance(self.objective, Gathers)
        measured = self.asks.measured > 0
        read = batches.of(self.wanted, teacher=beside.teachers, measured=measured)
        found = replace(beside, references=self.references(read)) if measured else beside
        gathered = torch.zeros((count, self.asks.gathered(self.hidden_size)), device=self.device)
        for at, output in enumerate(self.training.forward(read)):
            if groups := read.groups[at]:
                batch = self.micro_batch(output, groups, found, at, measured=measured)
                gathered[torch.tensor(beside.own[at], device=self.device)] = self.objective.gather(batch).float()
        return self.sum_ranks(gathered)

    def _sums(self, result: LossSum, groups: Sequence[Group]) -> list[torch.Tensor]:
        """The loss, and of each metric its sums and of how much they are such; each (numbers,)."""
        weight = torch.tensor(float(sum(map(self.objective.weight, groups))), device=self.device)
        # zeros: of what the strategy's model does not give
        found = [result.metrics.get(name, Mean(*torch.zeros(2, width))) for name, width in self.reported.items()]
        means = [value if isinstance(value, Mean) else Mean(value, weight) for value in found]
        told = (result.total if result.value is None else result.value).detach()
        numbers = [told, *(number for mean in means for number in mean)]
        return [torch.as_tensor(number, device=self.device).detach().float().reshape(-1) for number in numbers]

    def _penalty(self, asked: bool) -> list[torch.Tensor]:
        """The adapter's, zero where it is not asked for; empty for an adapter that has none."""
        if not isinstance(self.adapter, Penalising):
            return []
        return [self.adapter.penalty(self.trainable.model).float() if asked else torch.zeros((), device=self.device)]

    def _reported(self, group: Group) -> dict[str, int]:
        """What the objective reports, and how many sums each is: asked of one group, because a rank without any must add zeros for the
        same ones."""
        found = sorted(self.objective.loss(self._blank(group)).metrics.items())
        return {name: torch.as_tensor(value.total).numel() if isinstance(value, Mean) else 1 for name, value in found}

    def _blank(self, group: Group) -> MicroBatch:
        """A group with zeros in the place of all outputs."""
        asks, sequences = self.asks, sequences_of([group])
        labels = sum(sum(sequence.labels[1:]) for sequence in sequences)
        places = sum(len(places_of(sequence)) for sequence in sequences)
        output = {LOG_PROBS: self._zeros(labels)} if asks.log_probs else {}
        output |= {ENTROPY: self._zeros(labels)} if asks.entropy else {}
        output |= {LOG_SUM_SQ: self._zeros(labels)} if asks.log_sum_sq else {}
        output |= {of_head(head.name): self._zeros(places, head.width) for head in asks.heads}
        output |= {HIDDEN: self._zeros(places, self.hidden_size)} if asks.hidden else {}
        teachers = ()
        if asks.teacher:
            output[CANDIDATES] = self._zeros(labels, asks.teacher)
            teachers = (TopTokens(self._zeros(labels, asks.teacher).long(), self._zeros(labels, asks.teacher)),)
        statistics = self._zeros(1, asks.gathered(self.hidden_size)) if asks.gathers else None
        reference = self._zeros(labels) if asks.compares else None
        return self.micro_batch(output, [group], Beside([reference], teachers, [[0]], statistics, self.initial_state()), 0)

    def _zeros(self, *shape: int) -> torch.Tensor:
        return torch.zeros(shape, device=self.device)


def _known(groups: Sequence[Group], *, measured: bool) -> list[float]:
    """The reference's log-probabilities that came with the groups."""
    found: list[float] = []
    for group in groups:
        assert isinstance(group, ReferencedGroup)
        found += group.measured_reference if measured and group.measured else group.reference
    return found
