"""The evaluator `retrieval`: how near to its anchor, among all documents of the data, an embedding model puts the positive.

Every positive and every negative of the rows is a document, each text once; rows with the same anchor are one query, with all their
positives. Nearness is cosine similarity; metrics are those of MTEB's retrieval (arXiv:2210.07316) with relevance of 0 or 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Artifact, Evaluation, Step
from tunesmith_data.api import Row
from tunesmith_scores.examined_model import ExaminedModel
from tunesmith_scores.ranking_metrics import CUTS, TOP, ranking_metrics
from tunesmith_scores.settings import ScoresSettings
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.scoring import embedded_sequence


class Retrieval:
    def __init__(self, settings: ScoresSettings) -> None:
        self.settings = settings

    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        model = ExaminedModel(subject, self.settings, step)
        usage = model.scoring.usage
        pooling = str(usage.get("pooling", "last"))
        query, document = (str(usage.get(name, "")) for name in ("query_prompt", "document_prompt"))

        def encode(row: Row) -> Sequence[TokenSequence]:
            texts = [query + row["anchor"], *(document + text for text in _documents(row))]
            return [embedded_sequence(model.scoring.chat, text, pooling) for text in texts]

        queries: dict[str, TokenSequence] = {}
        documents: dict[str, TokenSequence] = {}
        relevant: dict[str, set[str]] = {}
        for row, (anchor, *others) in model.rows(data, encode):
            queries[row["anchor"]] = anchor
            relevant.setdefault(row["anchor"], set()).add(row["positive"])
            documents |= zip(_documents(row), others, strict=True)
        asked, texts = model.embeddings(list(queries.values())), model.embeddings(list(documents.values()))
        names, samples, ranks = list(documents), [], []
        depth = min(len(names), max(*CUTS, TOP))
        for anchor, vector in zip(queries, asked, strict=True):
            nearest = (texts @ vector).sort(descending=True, stable=True).indices[:depth]
            order = [names[int(at)] for at in nearest]
            ranks.append([text in relevant[anchor] for text in order])
            right = order[0] in relevant[anchor]
            expected = next(iter(sorted(relevant[anchor])))
            samples.append({"question": anchor, "expected": expected, "answer": order[0], "right": right})
        found = ranking_metrics(ranks, [len(relevant[anchor]) for anchor in queries])
        return Evaluation({**found, "queries": float(len(queries)), "documents": float(len(names))}, samples)


def _documents(row: Row) -> list[str]:
    return [row["positive"], *(row.get("negatives") or ())]
