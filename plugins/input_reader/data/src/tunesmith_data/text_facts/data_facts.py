"""A data file in a dozen facts, for who or what has to choose a model and settings for it: ``tunesmith data facts``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tunesmith_data.inspection import Inspection
from tunesmith_data.languages.by_words import languages_of
from tunesmith_data.text_facts.domains import domains_of
from tunesmith_data.text_facts.tasks import task_of

#: characters of a token: English prose has four to five, and chats with names and marks less; Chinese and Japanese about one and a half.
#: Where a model is known its own tokenizer says it (`tunesmith data preview`); here nothing is loaded.
TOKEN, UNSPACED_TOKEN = 4.0, 1.5
_UNSPACED = ("zh", "ja", "th")


@dataclass(frozen=True)
class DataFacts:
    """What is known of a file without a model.

    Args:
        format, produces: the dataset format that fits, and what the rows become.
        task: what the rows teach: ``chat`` (several turns), ``instruction`` (one), ``preference``, ``classification``, ``vqa`` ...
        rows, broken, empty, duplicates: of the file; duplicates are equal but for case and white space.
        near_duplicates: rows that are nearly an earlier one (`near_duplicates.py`), of the first `compared` that are no duplicates.
        characters: of all text in the rows that can be used; `lengths`: of one (least, median, mean, p95, most).
        tokens: of all rows, and `longest` of one in twenty and of the longest: reckoned from characters, within a quarter or so.
        languages, domains: share of the sampled characters, and of the sampled rows; `sampled`: how many rows were.
        modalities: ``text`` and what rows have beside it; `media`: in how many rows.
        labels: classes -> rows.
        renaming: where no format fits and one would if columns were called otherwise: name that it wants -> name that the column has.
    """

    path: str
    bytes: int
    format: str
    produces: tuple[str, ...]
    task: str
    rows: int
    broken: int
    empty: int
    duplicates: int
    characters: int
    lengths: Mapping[str, float]
    tokens: int
    longest: Mapping[str, int]
    languages: Mapping[str, float]
    domains: Mapping[str, float]
    sampled: int
    modalities: tuple[str, ...]
    media: Mapping[str, int]
    labels: Mapping[str, int]
    problem: Mapping[str, str] | None = None
    near_duplicates: int = 0
    compared: int = 0
    renaming: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def facts_of(found: Inspection) -> DataFacts:
    """The facts of a file that was looked into; languages and fields are counted in the rows of its sample."""
    texts = ["\n".join(texts_in(row)) for _, row in found.sample]
    languages = languages_of(texts)
    each = UNSPACED_TOKEN if next(iter(languages), "") in _UNSPACED else TOKEN
    total = int(found.lengths.get("total", 0))
    return DataFacts(
        path=found.path, bytes=found.bytes, format=found.format, produces=found.produces,
        task=task_of(found.produces, found.first, found.media), rows=found.rows, broken=found.broken_count, empty=found.empty_count,
        duplicates=found.duplicate_count, characters=total, lengths={key: found.lengths[key] for key in found.lengths if key != "total"},
        tokens=round(total / each), longest={key: round(found.lengths[key] / each) for key in ("p95", "most") if key in found.lengths},
        languages=languages, domains=domains_of(texts), sampled=len(texts), modalities=("text", *found.media), media=found.media,
        labels=found.labels, problem=found.problem, near_duplicates=found.near_duplicates, compared=found.compared,
        renaming=found.renaming,
    )  # fmt: skip


def texts_in(value: Any) -> Iterator[str]:
    """All texts in a row, however deep: a file's own columns, before any format has read them. Names of roles are no text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in ("role", "from", "type", "path", "url"):
                yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
