"""Answers that share words or letters with what is expected: ROUGE by rouge-score, BLEU and chrF by sacrebleu."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tunesmith_generation.metrics.metric import Mean
from tunesmith_statistics import Interval

DRAWS = 1000  # of the bootstrap
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


class Words:
    """Words as rouge-score splits them, of any script: its own tokenizer drops all but a to z. A Chinese character is a word."""

    def tokenize(self, text: str) -> list[str]:
        return _WORD.findall(text.lower())


class Rouge(Mean):
    """F of ROUGE-1, -2 or -L (Lin 2004), of each answer, 0 to 1."""

    def __init__(self, name: str) -> None:
        from rouge_score.rouge_scorer import RougeScorer

        self._name, self._scorer = name, RougeScorer([name], tokenizer=Words())

    def score(self, answer: str, expected: str, cut: bool) -> float | None:
        return None if cut else float(self._scorer.score(expected, answer)[self._name].fmeasure)


class Corpus:
    """BLEU (Papineni et al. 2002) or chrF (Popović 2015) of all answers together, 0 to 100; of one it says a sentence's."""

    binary = False

    def __init__(self, name: str, tokenize: str) -> None:
        from sacrebleu.metrics import BLEU, CHRF

        self._one: Any = BLEU(tokenize=tokenize, effective_order=True) if name == "bleu" else CHRF()
        self._all: Any = BLEU(tokenize=tokenize) if name == "bleu" else CHRF()

    @property
    def signature(self) -> str:
        """sacrebleu's, by which figures of papers are told to be comparable."""
        return str(self._all.get_signature().format())

    def score(self, answer: str, expected: str, cut: bool) -> float | None:
        return None if cut else float(self._one.sentence_score(answer, [expected]).score)

    def figure(self, answers: Sequence[str], expected: Sequence[str], scores: Sequence[float]) -> Interval:
        found = self._all.corpus_score(list(answers), [list(expected)], n_bootstrap=DRAWS)
        told = json.loads(found.format(width=6, signature=self.signature, is_json=True))
        middle, reach = told.get("confidence_mean", found.score), told.get("confidence_var", 0.0)
        return Interval(float(found.score), middle - reach, middle + reach)
