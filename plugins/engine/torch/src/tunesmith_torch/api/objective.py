"""Contract of kind ``objective``: rows -> token sequences -> a loss over what the model gives for them.

``accepts``: dataset formats (``dataset/chat``, ``dataset/preference``). No loop, no parallelism, no model in it: an objective asks for
outputs of the model at tokens that it marks (`Asks`), and turns them into a loss. Whatever a loss can need is asked for in this way:

- at *labels* (tokens whose probability counts): the model's log-probability, that of a reference, the entropy, and the log-probabilities
  of a teacher's most likely tokens;
- at *places* (tokens whose last hidden state counts): the state itself, or what heads make of it that train with the model;
- of the whole batch: what `Gathers` collects of each group before any loss is computed, and a state that goes on from batch to batch;
- *completions* that the model samples of each row's prompt while it trains (`tunesmith_torch.api.experience`).

Which outputs these are is said in one place, a function of the settings that imports no torch (``asks(settings) -> Asks``). The provider's
record has its ``needs`` and its estimator from it (`estimator`), the objective its `asks`.

Facts: those of `Asks.facts`; ``metrics`` (see `Provider`): what validation adds to a step's result, ``validation_`` before the name that
`LossSum` gives it; empty for one that reports nothing but its loss. ``resume``, of one that samples: ``exact`` (left out: this), where a
run that is killed comes to the same bytes with the in-process sampler on a processor, or ``statistical``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from tunesmith.contracts import EstimateRequest, Need, UserError
from tunesmith_data.api import Message, Part, Row
from tunesmith_torch.api.experience import Sampling
from tunesmith_torch.api.loss import LossSum

Tensor = Any  #: torch.Tensor; the contracts import no torch
LAST = -1  #: as a place: the sequence's last token, also after `max_length` has cut it


@dataclass(frozen=True)
class Medium:
    """An image, audio or video of a sequence: the tokens from `start` up to `stop` stand for it, and have no labels."""

    part: Part
    start: int
    stop: int


@dataclass(frozen=True)
class TokenSequence:
    """One sequence to run through the model.

    Args:
        tokens: token ids.
        labels: as long as `tokens`: True where the token's log-probability, given those before it, is wanted. Never the first.
        media: what some of the tokens stand for, in their order.
        places: indices of tokens whose last hidden state is wanted, ascending; `LAST` alone for the last one.
    """

    tokens: Sequence[int]
    labels: Sequence[bool]
    media: Sequence[Medium] = ()
    places: Sequence[int] = ()


@dataclass(frozen=True)
class Group:
    """Sequences that belong together in one micro-batch: one for supervised tuning, (chosen, rejected) for a pair.

    Args:
        facts: of the row, for the loss; JSON values.
        measured: sequences that only `Gathers.gather` reads: they take part without gradients. Each has at least one token.
    """

    sequences: tuple[TokenSequence, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    measured: tuple[TokenSequence, ...] = ()


def answered(sequence: TokenSequence) -> Group:
    """A conversation by itself.

    Raises:
        UserError: TS-DATA-033 when the assistant says nothing in it that could be trained on.
    """
    if not any(sequence.labels):
        raise UserError(
            "TS-DATA-033", "the conversation has no answer of the assistant to learn from",
            fix="Give the row a message of the role `assistant`, or leave it out.",
        )  # fmt: skip
    return Group((sequence,))


class ChatEncoder(Protocol):
    """The tokenizer and its chat template as the engine offers them to objectives."""

    def encode(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = (), *, since: int = 0, ends: Sequence[int] = ()
    ) -> TokenSequence:  # fmt: skip
        """The conversation with labels on the assistant's turns: all that the model would write of each, its end-of-turn token included.

        The tokens are those of the whole conversation as the template writes it, also where that writes an earlier turn otherwise
        than it would alone (without its thoughts, say). Turns of weight 0 have no labels.

        Args:
            since: label only turns from this message on: what comes before is context (a preference row's prompt).
            ends: numbers of characters of the last message's text, ascending, which is the assistant's: the last token of each of these
                beginnings of it is a place.

        Raises:
            UserError: TS-DATA-030 for a tokenizer without a chat template, and what the template says of the conversation.
        """

    def encode_prompt(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()) -> TokenSequence:
        """The conversation as the template writes it for the model to answer, without labels.

        Raises:
            UserError: as `encode`.
        """

    def encode_text(self, text: str, *, ended: bool = False, ends: Sequence[int] = ()) -> TokenSequence:
        """A text as the tokenizer writes it, without a template and with the special tokens that it puts around texts; a label on every
        token but the first.

        Args:
            ended: with the tokenizer's end token behind it.
            ends: numbers of characters of the text, ascending: the last token of each of these beginnings is a place.

        Raises:
            UserError: TS-TRAIN-100 for a tokenizer without an end token where one is asked for; TS-DATA-077 where two places are one token.
        """


@dataclass(frozen=True)
class Head:
    """A linear layer on the last hidden states, in float32, that trains with the objective; the engine makes, saves and exports it.
    Training that goes on from an adapter goes on with the heads of the same names that lie beside it.

    Args:
        name: of its weights (``score``, as in transformers' classifiers).
        width: numbers that it gives for a place.
        task: how transformers' class of a model with this head ends (``ForSequenceClassification``); empty where it has none: then the head
            stays beside an adapter, and a whole model is saved without it.
        labels: what its numbers are about, as many as there are (the names of classes); they go into the model's configuration.
        problem_type: as transformers calls what they say: ``single_label_classification``, ``multi_label_classification``,
            ``regression``; empty where its class has none.
        zeros: it begins with zeros, and is drawn otherwise.
    """

    name: str
    width: int = 1
    bias: bool = False
    task: str = ""
    labels: tuple[str, ...] = ()
    problem_type: str = ""
    zeros: bool = False


@dataclass(frozen=True)
class Asks:
    """What an objective asks of the model; a function of its settings alone.

    Args:
        sequences: of a row that train, on average; for the estimate.
        measured: of a row that are only measured.
        log_probs: log p of each label.
        reference: the same by the reference: the model before training, or the step's input ``reference``.
        entropy: of the model's distribution at each label: ``value`` to be told, without a gradient and only where the strategy's model
            gives it; ``gradient`` with one.
        log_sum_sq: log of the sum of the squared probabilities of all tokens, at each label, without a gradient.
        teacher: so many most likely tokens of the step's input ``teacher`` at each label, with its log-probabilities and the model's own.
        heads: what is on the hidden states at the places.
        hidden: the states themselves.
        statistics: numbers that `Gathers.gather` gives for a group; with `statistic_states` both 0 for an objective that gathers nothing.
        statistic_states: hidden states that it gives for a group behind these numbers.
        role: what the model becomes that gives something else than words (``reward``).
        usage: how whoever runs the model writes its input and reads what comes out, JSON by name: it goes into the model's files, where
            `tunesmith_torch.api.scoring` finds it.
        pieces: with ``truncation: auto`` a group's one sequence that is longer than `max_length` goes on in further groups, and no label of
            it is lost. Only for sequences without places and facts.
        sampling: how completions of the rows' prompts are drawn while training runs; None for an objective that learns from rows. One that
            samples is `LearnsFromExperience`.
    """

    sequences: float = 1.0
    measured: float = 0.0
    log_probs: bool = True
    reference: bool = False
    entropy: Literal["", "value", "gradient"] = ""
    log_sum_sq: bool = False
    teacher: int = 0
    heads: tuple[Head, ...] = ()
    hidden: bool = False
    statistics: int = 0
    statistic_states: int = 0
    role: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    pieces: bool = False
    sampling: Sampling | None = None

    @property
    def compares(self) -> bool:
        """Whether the loss is given the reference's log-probabilities, which are not those measured of a collection."""
        return self.reference and not (self.sampling and self.sampling.measured)

    @property
    def gathers(self) -> bool:
        """Whether anything is gathered of a batch before its losses."""
        return bool(self.statistics or self.statistic_states)

    def gathered(self, hidden_size: int) -> int:
        """Numbers of a group that are gathered, of a model with so large a hidden state."""
        return self.statistics + self.statistic_states * hidden_size

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the provider's record says that it requires of others in the step."""
        found = []
        if self.reference:
            found.append(Need("adapter", "reference", "the loss compares the model with what it was before training"))
        if self.entropy == "gradient" or self.log_sum_sq or self.teacher or self.heads or self.hidden:
            found.append(Need("strategy", "outputs.any", "the loss reads more of the model than the log-probabilities of labels"))
        if self.sampling:
            found.append(Need("strategy", "sampling", "the model writes completions while it trains"))
        return tuple(found)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the provider's record says for the plan: which further models of the step it reads, and the role of what comes out."""
        samples = self.sampling is not None
        asked = {"reference": self.reference, "teacher": self.teacher > 0, "reward_model": samples, "sampler": samples}
        models = {name: True for name, wanted in asked.items() if wanted}
        return models | ({"role": self.role} if self.role else {})

    @property
    def parts(self) -> Mapping[str, float]:
        """What the estimate of a training step counts."""
        return {
            "sequences": self.sequences, "measured": self.measured, "reference": float(self.reference), "teacher": float(self.teacher > 0),
            "reward_model": float(self.sampling is not None), "pieces": float(self.pieces),
            "head": float(sum(head.width for head in self.heads)),
            "log_probs": float(self.log_probs or self.teacher > 0),
            "completion": float(self.sampling.max_completion_length) if self.sampling else 0.0,
        }  # fmt: skip


def estimator(asks: Callable[[Any], Asks], settings: Callable[..., Any]) -> Callable[[EstimateRequest], Mapping[str, float]]:
    """The record's estimator, of the function that says what is asked for and the class of the settings."""

    def parts(request: EstimateRequest) -> Mapping[str, float]:
        asked = asks(settings(**request.settings))
        if asked.sampling and "sampler" in request.inputs:
            asked.sampling.check_whole()
        return asked.parts

    return parts


class TopTokens(NamedTuple):
    """A teacher's most likely tokens at each label: (labels, k) int64 ids and float32 log-probabilities, the likeliest first."""

    ids: Tensor
    log_probs: Tensor


@dataclass(frozen=True)
class MicroBatch:
    """What `loss` is given: some of a batch's groups, and what was asked for of the model. What was not asked for is None or empty.

    Args:
        groups: the micro-batch's.
        lengths: labels per sequence, in the order of `groups` and of the sequences in each.
        policy: (labels,) float32 with gradient: log p of every label, sequence after sequence.
        reference: the same by the reference, without gradient.
        entropy: (labels,) in nats; None where it was asked for as a ``value`` and the strategy's model does not give it.
        log_sum_sq: (labels,) without gradient.
        teacher: its most likely tokens.
        candidates: (labels, k) with gradient: log p of those by the model in training.
        places: places per sequence.
        scores: head -> (places, width) with gradient.
        hidden: (places, hidden) with gradient.
        own: which groups of the whole batch these are.
        statistics: (groups of the whole batch, numbers) without gradient, in the batch's order: what `Gathers.gather` gave.
        state: of the objective, see `KeepsState`.
    """

    groups: Sequence[Group]
    lengths: Sequence[int] = ()
    policy: Tensor = None
    reference: Tensor = None
    entropy: Tensor = None
    log_sum_sq: Tensor = None
    teacher: TopTokens | None = None
    candidates: Tensor = None
    places: Sequence[int] = ()
    scores: Mapping[str, Tensor] = field(default_factory=dict)
    hidden: Tensor = None
    own: Sequence[int] = ()
    statistics: Tensor = None
    state: Mapping[str, Tensor] = field(default_factory=dict)


class Objective(Protocol):
    asks: Asks

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The row's sequences. Raises UserError (TS-DATA-...) for a row that it can't use."""

    def weight(self, group: Group) -> float:
        """The group's share of a batch: its label tokens, or 1 for a pair."""

    def loss(self, batch: MicroBatch) -> LossSum:
        """The loss of a micro-batch, summed."""

    def formula(self, batch: MicroBatch) -> Tensor:
        """The loss of a whole batch, the mean, as its paper writes it, and by no code of `loss`.

        All tensors are float64; the engine holds the first batches of every training step against it, with their gradients.
        """


@runtime_checkable
class Gathers(Protocol):
    """Its loss depends on all of the batch: on a mean, an order, or on every other row."""

    def gather(self, batch: MicroBatch) -> Tensor:
        """(groups, ``asks.gathered(hidden size)``) of a micro-batch, without gradients: of the groups' `measured` sequences where they have
        some, else of those that train. The engine puts all groups of the batch together before it computes losses."""


@runtime_checkable
class KeepsState(Protocol):
    """Some of it goes on from batch to batch (a running mean). Checkpoints hold it."""

    def initial_state(self) -> Mapping[str, Tensor]:
        """Before the first batch, by name."""

    def next_state(self, state: Mapping[str, Tensor], statistics: Tensor) -> Mapping[str, Tensor]:
        """After a batch's statistics are known and before its losses are computed, which are given the new one. Changes no argument."""


@runtime_checkable
class ReadsNext(Protocol):
    """It compares a row with another one's."""

    def encode_with(self, row: Row, other: Row, chat: ChatEncoder) -> Group:
        """As `encode`, given the next row of the data too (the first for the last one)."""


@runtime_checkable
class ReadsFacts(Protocol):
    """It needs to know of all rows what no row says: that there are good and bad ones."""

    def read_facts(self, facts: Iterable[Mapping[str, Any]]) -> Sequence[str]:
        """Given `Group.facts` of all rows that train, before a model is loaded.

        Returns:
            sentences to warn with.

        Raises:
            UserError: nothing can be learned of these rows.
        """


@runtime_checkable
class Warns(Protocol):
    """It knows what of its metrics is a bad sign."""

    def warnings(self, history: Sequence[Mapping[str, float]]) -> Sequence[str]:
        """Sentences on the metrics of all steps so far, asked for when metrics are logged; each is told once, so it holds no numbers. The
        rule of each stands in the plugin's README."""
