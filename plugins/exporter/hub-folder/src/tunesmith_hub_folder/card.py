"""The model card: YAML that the hub's own library writes and reads, and a page below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunesmith_hub_folder.facts import Facts
from tunesmith_hub_folder.lineage import Made
from tunesmith_hub_folder.metrics import Metric
from tunesmith_hub_folder.settings import HubFolderSettings

UNKNOWN = "unknown"
_LOOKED_AT = ("artifact_check",)  # slots that say nothing of how a model was made


def card(facts: Facts, metrics: Sequence[Metric], settings: HubFolderSettings, name: str) -> str:
    """The text of README.md.

    Raises:
        ValueError: the hub's library does not take what it wrote.
    """
    from huggingface_hub import EvalResult, ModelCard, ModelCardData

    results = [
        EvalResult("text-generation", "local", f"{one.rows} rows", one.name, one.value, metric_name=f"{one.evaluator} {one.name}")
        for one in metrics
        if not one.on and one.low is not None  # counts of rows have no interval
    ]
    relation = "adapter" if facts.adapter else "finetune" if any(one.verb == "train" for one in facts.made) else None
    data = ModelCardData(
        base_model=facts.base or None, license=facts.license or None, language=settings.language or None,
        library_name="peft" if facts.adapter else "transformers", pipeline_tag="text-generation", tags=["tunesmith", *settings.tags],
        model_name=name if results else None, eval_results=results or None,
        **({"base_model_relation": relation} if facts.base and relation else {}),
    )  # fmt: skip
    text = f"---\n{data.to_yaml()}\n---\n\n" + "\n".join(_page(facts, metrics, settings, name)) + "\n"
    if ModelCard(text).data.to_dict() != data.to_dict():
        raise ValueError("the card's YAML reads otherwise than it was written")
    return text


def _page(facts: Facts, metrics: Sequence[Metric], settings: HubFolderSettings, name: str) -> Iterator[str]:
    yield f"# {name}\n"
    yield f"{settings.summary or 'What it is for: ' + UNKNOWN + '; its author has not said.'}\n"
    yield "| | |\n|---|---|"
    base = f"[{facts.base}](https://huggingface.co/{facts.base})" if facts.base else facts.base_text
    for what, value in (
        ("base model", base), ("revision", facts.revision), ("licence", facts.license), ("architecture", facts.architecture),
        ("parameters", f"{facts.parameters:,}" if facts.parameters else ""),
        ("chat template (SHA-256, with special tokens)", facts.template),
    ):  # fmt: skip
        if not (facts.adapter and what in ("architecture", "parameters")):
            yield f"| {what} | {value or UNKNOWN} |"
    yield "\n## How it was made\n"
    for number, one in enumerate(facts.steps, 1):
        yield f"{number}. {_step(one)}"
    yield "\n## Data\n"
    told = [_rows(one) for one in facts.data]
    trained = any(one.verb == "train" for one in facts.made)
    yield "\n".join(told) if told else f"What it was trained on: {UNKNOWN}." if trained or not facts.steps else "It was not trained here."
    yield "\n## Metrics\n"
    if not metrics:
        yield f"{UNKNOWN.capitalize()}: no evaluation was given."
        return
    yield "| evaluator | metric | value | 95 % interval | rows | of |\n|---|---|---|---|---|---|"
    for metric in metrics:
        interval = f"{metric.low:.4g} to {metric.high:.4g}" if metric.low is not None and metric.high is not None else UNKNOWN
        yield f"| {metric.evaluator} | {metric.name} | {metric.value:.4g} | {interval} | {metric.rows} | {metric.on or 'this'} |"


def _step(one: Made) -> str:
    """What a step did, with the settings that were in force."""
    by = [f"{slot} {_provider(said)}" for slot, said in _slots(one).items()]
    own = {} if one.verb == "download" else one.producer.get("step") or {}
    settings = [f"settings {_settings(own)}"] if own else []
    where = [f"seed {one.producer['seed']}"] if one.verb == "train" and "seed" in one.producer else []
    return f"**{one.verb or UNKNOWN}** " + "; ".join([*by, *settings, *where])


def _slots(one: Made) -> Mapping[str, Any]:
    said = one.producer.get("slots") or {one.producer.get("kind", "by"): one.producer}
    return {slot: provider for slot, provider in said.items() if provider.get("kind") not in _LOOKED_AT}


def _provider(said: Mapping[str, Any]) -> str:
    settings = _settings(said.get("settings") or {})
    made_by = f"{said.get('distribution', UNKNOWN)} {said.get('version', '')}".strip()
    return f"{said.get('name', UNKNOWN)} ({made_by}{': ' + settings if settings else ''})"


def _settings(values: Mapping[str, Any]) -> str:
    """Without what is empty, and without what names a place on this machine."""
    told = {name: value for name, value in sorted(values.items()) if value not in ("", [], {}, None)}
    return ", ".join(
        f"`{name}={value}`" for name, value in told.items() if not (isinstance(value, str) and value.startswith(("/", "file:")))
    )


def _rows(one: Made) -> str:
    rows = (one.record.get("meta") or {}).get("rows", UNKNOWN)
    return f"- {rows} rows, `{one.record.get('format')}`, SHA-256 `{one.digest.partition(':')[2]}`"
