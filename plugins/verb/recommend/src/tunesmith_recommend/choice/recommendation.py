"""What is asked, and what is recommended: choices with their reasons, and a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tunesmith_recommend.choice.rules import Rule, rules

if TYPE_CHECKING:
    from tunesmith.plugins.records import ProviderRecord

#: formats of rows that are written with a chat template
CHATS = ("dataset/chat", "dataset/preference", "dataset/unpaired", "dataset/prompt", "dataset/stepwise")
GOALS = ("quality", "speed", "memory", "edge")


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Args:
        path: of the data, as a pipeline names it; `columns`: name that its format wants -> name that the column has.
        data: what `tunesmith data facts --json` says of it.
        goal: one of `GOALS`.
        task: in place of the one that the data tell; empty: theirs.
        budget: seconds that training may take; 0: what a rule says.
        excluded: models that can't be fetched here, and schemes of which none can -> why.
        model: the one that is asked for; empty: any.
        named: kind -> the provider of it that is asked for.
        settings: that are asked for, of the training step, or of whichever provider has one of that name.
        failed: what was tried and failed -> why: ``<model's uri> <adapter>``, or ``<kind> <provider>`` of what was to make it smaller.
        reasons: setting that is asked for -> why, where somebody says so.
        refused: providers that shall not take part: ``adapter.lora``.
        counted: the devices are as many as may be used, wherever the pipeline runs: it says in how many processes it trains.
    """

    path: str
    data: Mapping[str, Any]
    goal: str = "quality"
    task: str = ""
    budget: float = 0.0
    columns: Mapping[str, str] = field(default_factory=dict)
    excluded: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    refused: Sequence[str] = ()
    counted: bool = False

    def left(self, records: Iterable[ProviderRecord]) -> list[ProviderRecord]:
        """Those of some providers that are not refused."""
        return [record for record in records if f"{record.kind}.{record.name}" not in self.refused]

    @property
    def asked_task(self) -> str:
        return self.task or str(self.data["task"])

    @property
    def language(self) -> str:
        """The one of most of the text; empty if none is known."""
        return next(iter(self.data["languages"]), "")

    @property
    def statistics(self) -> dict[str, Any]:
        """As estimates read them: tokens of a row, those that a chat template adds among them."""
        length = self.data["tokens"] / max(1, self.data["rows"]) + (rules()["data.template"]["tokens"] if self.chats else 0)
        return {"rows": self.data["rows"], "length": length, "media": self.data["media"], "labels": self.data["labels"]}

    @property
    def chats(self) -> bool:
        """Whether the rows are written with a chat template."""
        return bool(set(self.data["produces"]) & set(CHATS))


@dataclass(frozen=True)
class Reasoned:
    """A choice.

    Args:
        topic: what was chosen: ``model``, ``adapter``, ``learning_rate``.
        value: as a pipeline says it.
        reason: with the figures that count here.
        rule: that it follows.
        instead_of: what it was preferred to, and by what; empty where nothing else was there.
        key: of the pipeline's file below which it stands, with its step before it where others have that key, too; empty: the topic.
    """

    topic: str
    value: Any
    reason: str
    rule: Rule
    instead_of: str = ""
    key: str = ""

    def to_json(self) -> dict[str, Any]:
        rule = {"id": self.rule.id, "text": self.rule.text, "source": self.rule.source}
        return {"topic": self.topic, "value": self.value, "reason": self.reason, "rule": rule, "instead_of": self.instead_of}


@dataclass(frozen=True)
class Prediction:
    """What training and the whole pipeline would need.

    Args:
        seconds: of training; 0 where nobody knows. `steps`: optimizer steps.
        memory: bytes of a device at the peak of all steps; `device`: its name, `of` its bytes, and `devices` how many of it there are.
        disk: bytes that are written.
        basis: what ``time``, ``memory`` and ``quality`` come from, in words: rules, or so many runs.
        quality: the loss of rows held out that it is likely to come to; 0 where too few like runs are known, for no rule says.
        low, high: seconds between which training takes where it goes as the runs did that time comes from; 0 where rules speak alone.
    """

    seconds: float
    steps: int
    memory: float
    device: str
    of: float
    disk: float
    basis: Mapping[str, str] = field(default_factory=dict)
    quality: float = 0.0
    devices: int = 1
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class Recommendation:
    """
    Args:
        pipeline: as a pipeline file holds it.
        choices: in the order of the pipeline.
        remarks: what to do beside, or to know, a sentence each.
        refused: what was tried before and why it was not taken, the last first.
        tried: step of the pipeline -> how `Wanted.failed` calls what it does, should it fail.
    """

    pipeline: Mapping[str, Any]
    choices: tuple[Reasoned, ...]
    prediction: Prediction
    remarks: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    tried: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_note(cls, note: Mapping[str, Any]) -> Recommendation:
        """What was noted of one as JSON by `dataclasses.asdict`.

        Raises:
            KeyError, TypeError: for what was not.
        """
        choices = tuple(Reasoned(**{**one, "rule": Rule(**one["rule"])}) for one in note["choices"])
        told = {name: tuple(note[name]) for name in ("remarks", "refused")}
        return cls(**{**note, **told, "choices": choices, "prediction": Prediction(**note["prediction"])})

    def to_json(self) -> dict[str, Any]:
        return {
            "pipeline": self.pipeline, "choices": [choice.to_json() for choice in self.choices], "prediction": asdict(self.prediction),
            "remarks": list(self.remarks), "refused": list(self.refused),
        }  # fmt: skip
