"""Write which model each training step computes with, family by adapter by objective: `python tools/model_impl_table.py`.

Into docs/conformance/model-impl.md, from what the planner is told: the adapters' and objectives' estimators, and the engine's. Nothing is
trained and no torch is imported.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from strategies_matrix import ADAPTER, OBJECTIVE, SETTINGS, registry

from tunesmith.contracts import EstimateRequest
from tunesmith.contracts.settings import fill
from tunesmith.isolation.provider_import import load
from tunesmith.plugins.records import ProviderRecord
from tunesmith_torch.estimate.memory import train
from tunesmith_torch.model.dense.config import FAMILIES
from tunesmith_torch.model.model_impl import DIVIDED, ENGINE, OWN, model_impl

PAGE = Path(__file__).resolve().parent.parent / "docs" / "conformance" / "model-impl.md"
OTHER = "olmo2"  #: one that the decoder does not know, for all of these
#: sizes that every family's configuration may have
CONFIG = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
    "vocab_size": 512, "max_position_embeddings": 256,
}  # fmt: skip
MODEL_FORMAT = "model/hf"

Decision = tuple[str, str]
Cell = tuple[str, str, str]


@cache
def decided() -> dict[Cell, Decision]:
    """(family, adapter, objective) -> which model, and why, as a plan says it."""
    return {
        (family, adapter, objective): _decision(family, adapter, objective)
        for family in (*FAMILIES, OTHER)
        for adapter in sorted(registry().providers(ADAPTER))
        for objective in sorted(registry().providers(OBJECTIVE))
    }


def config(family: str) -> dict[str, Any]:
    return {"model_type": family, **CONFIG}


def _decision(family: str, adapter: str, objective: str) -> Decision:
    parts = {"adapter": _parts(ADAPTER, adapter, family), "objective": _parts(OBJECTIVE, objective, family)}
    verb = registry().verb("train")
    estimate = train(EstimateRequest(config(family), format=MODEL_FORMAT, step_settings=fill(verb.schema, {}), parts=parts))
    assert estimate is not None
    return estimate.decisions[0]


@cache
def _parts(kind: str, name: str, family: str) -> Mapping[str, float]:
    record: ProviderRecord = registry().provider(kind, name)
    if not record.estimator:
        return {}
    settings = fill(record.schema, SETTINGS.get(name, {}) if kind == OBJECTIVE else {})
    return dict(load(record.estimator, record.distribution)(EstimateRequest(config(family), settings=settings, format=MODEL_FORMAT)))


def page(cells: Mapping[Cell, Decision]) -> str:
    objectives = sorted({objective for _, _, objective in cells})
    adapters = sorted({adapter for _, adapter, _ in cells})
    families = list(dict.fromkeys(family for family, _, _ in cells))
    return "".join([*_head(objectives), *_table(cells, families, adapters, objectives), *_reasons(cells), *_beside()])


def _head(objectives: list[str]) -> Iterator[str]:
    yield "# Which model a training step computes with\n\n"
    yield "<!-- Written by tools/model_impl_table.py: run it again after a change. -->\n\n"
    yield (
        "Training runs by the engine's own decoder where that computes the same as transformers' model, with less work and memory, and\n"
        "by transformers' model elsewhere. What decides is the model's family and what the adapter says of itself (`modules_only`, of\n"
        "which the kit sees that class and estimator agree); a plan says it as a decision with its reason, and so does the step. It was\n"
        f"asked for each of {len(objectives)} objectives: {', '.join(f'`{name}`' for name in objectives)}.\n"
        "**own** is the engine's decoder, a number transformers' model for the reason below; where objectives differ, they are named.\n\n"
    )


def _table(cells: Mapping[Cell, Decision], families: list[str], adapters: list[str], objectives: list[str]) -> Iterator[str]:
    numbers = _numbers(cells)
    heads = [f"others ({OTHER})" if family == OTHER else family for family in families]
    yield f"| adapter | {' | '.join(heads)} |\n|{'---|' * (len(families) + 1)}\n"
    for adapter in adapters:
        found = []
        for family in families:
            by: dict[str, list[str]] = defaultdict(list)
            for objective in objectives:
                what, why = cells[family, adapter, objective]
                by["own" if what == ENGINE else str(numbers[why])].append(objective)
            found.append("; ".join(said if len(by) == 1 else f"{said}: {', '.join(names)}" for said, names in by.items()))
        yield f"| `{adapter}` | {' | '.join(found)} |\n"
    yield "\n"


def _numbers(cells: Mapping[Cell, Decision]) -> dict[str, int]:
    reasons = dict.fromkeys(why for what, why in cells.values() if what != ENGINE)
    return {why: number for number, why in enumerate(reasons, 1)}


def _reasons(cells: Mapping[Cell, Decision]) -> Iterator[str]:
    for why, number in _numbers(cells).items():
        yield f"{number}. {why[0].upper()}{why[1:]}.\n"


def _beside() -> Iterator[str]:
    """What holds for every family, adapter and objective."""
    stored = model_impl(config("llama"), {"modules_only": 1.0}, "model/bnb")[1]
    yield "\nWhatever stands in the table:\n\n"
    yield f"- A strategy that divides parameters takes {DIVIDED[0]}: {DIVIDED[1]}.\n"
    yield f"- One that computes with a model of its own: {OWN[1]}.\n"
    yield f"- A base that is stored in fewer bits takes {stored[0]}: {stored[1]}.\n"
    yield (
        "- A configuration with something that the decoder does not compute (another activation, dropout in attention, scaled positions "
        "other than `linear` and `llama3`) takes transformers' model, and the reason names it.\n"
    )


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    PAGE.write_text(page(decided()), encoding="utf-8")


if __name__ == "__main__":
    main()
