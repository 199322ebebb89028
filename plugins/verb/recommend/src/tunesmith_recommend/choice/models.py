"""Which models suit, the best first, whatever fits: by what the rows hold, their language and field, and what is wanted."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass

from tunesmith_recommend.catalog.base_model import BaseModel
from tunesmith_recommend.choice.recommendation import Wanted
from tunesmith_recommend.choice.rules import Rule, rules


@dataclass(frozen=True)
class Suiting:
    """A model with what speaks for it.

    Args:
        field: of the rows that it was made for; empty if none.
        language: 2: it was made for the rows' language first of all, 1: it knows it, 0: nobody says so.
        size: number of its class of sizes.
    """

    model: BaseModel
    field: str
    language: int
    size: int

    @property
    def order(self) -> tuple[object, ...]:
        """Higher is better."""
        model, bonus = self.model, rules()["model.field"]["classes"] if self.field else 0
        alone = bool(self.field) and model.domains[0] == self.field
        size = self.size + bonus
        return bool(self.language), bool(model.tasks), size, self.language, alone, not model.gated, model.released, model.parameters


def suiting(models: Iterable[BaseModel], wanted: Wanted, most: float = float("inf")) -> list[Suiting]:
    """The models that suit, the best first.

    Args:
        most: parameters.
    """
    found = [
        Suiting(model, _field(model, wanted), _language(model, wanted), size_class(model)) for model in models if _suits(model, wanted)
    ]
    small = [one for one in found if one.model.parameters <= most]
    return sorted(small or found[:0], key=lambda one: one.order, reverse=True)


def size_rule(goal: str) -> Rule:
    """What is said of sizes for a goal."""
    return rules().get(f"model.size.{goal}", rules()["model.size"])


def size_class(model: BaseModel) -> int:
    return bisect(rules()["model.size"]["classes"], model.parameters)


def _suits(model: BaseModel, wanted: Wanted) -> bool:
    data = wanted.data
    if wanted.model:
        return model.uri == wanted.model and set(data["modalities"]) <= set(model.modalities)
    if not _takes(model, set(data["modalities"])) or {model.uri, model.uri.partition("://")[0]} & set(wanted.excluded):
        return False
    if model.domains and not _field(model, wanted) and not model.tasks:
        return False  # what was made for another field comes after all that were made for none
    if model.tasks and wanted.asked_task not in model.tasks:
        return False
    return bool(model.template) or not wanted.chats


def _takes(model: BaseModel, held: set[str]) -> bool:
    """What the rows hold; for texts alone a model that takes nothing else has all its parameters for them."""
    return held <= set(model.modalities) and (held != {"text"} or set(model.modalities) == held)


def _field(model: BaseModel, wanted: Wanted) -> str:
    enough = rules()["model.field"]["share"]
    return next((name for name, share in wanted.data["domains"].items() if share >= enough and name in model.domains), "")


def _language(model: BaseModel, wanted: Wanted) -> int:
    if not wanted.language:
        return 1
    return 2 if wanted.language in model.languages[:2] else int(wanted.language in model.languages)
