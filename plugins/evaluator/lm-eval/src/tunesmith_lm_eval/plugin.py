"""What tunesmith-lm-eval brings: the evaluator `lm-eval`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_lm_eval.documents import FORMATS
from tunesmith_lm_eval.settings import LmEvalSettings

_HIGHER = {
    "acc": "share of questions whose right choice is the most probable",
    "acc_norm": "the same with each log-probability divided by the choice's length in bytes",
    "exact_match": "share of answers that equal the expected one",
    "f1": "F1, as the task has it",
    "mcc": "Matthews' correlation coefficient",
    "bleu": "BLEU of all answers together, 0 to 100",
    "chrf": "chrF of all answers together, 0 to 100",
}
_LOWER = {
    "word_perplexity": "perplexity of a word", "byte_perplexity": "perplexity of a byte", "bits_per_byte": "bits for a byte",
    "perplexity": "perplexity of the expected answers", "brier_score": "mean squared error of the probabilities",
    "ter": "translation edit rate of all answers together",
}  # fmt: skip
_FILTERS = ("strict-match", "flexible-extract", "get-answer", "remove_whitespace")


def _metrics():
    told = {name: {"better": "higher", "summary": summary} for name, summary in _HIGHER.items()}
    told |= {name: {"better": "lower", "summary": summary} for name, summary in _LOWER.items()}
    told |= {
        f"exact_match@{filter}": {"better": "higher", "summary": f"exact_match of what lm-eval's filter {filter} finds in an answer"}
        for filter in _FILTERS
    }
    bounds = {
        f"{name}/{end}": {"summary": f"{word} bound of {name} at 95 %"}
        for name in told
        for end, word in (("low", "lower"), ("high", "upper"))
    }
    return {
        **told, **bounds,
        "smallest_difference": {"summary": "difference of two models that so many questions show in 4 of 5 evaluations, at most"},
        "scored": {"summary": "questions with a score"},
        "failed": {"summary": "questions whose value of a metric is no number, or whose right choice is none of theirs"},
        "truncated": {"summary": "questions that were longer than the model reads, or whose answer was cut off"},
        "unparsed": {"summary": "questions in whose answer nothing was found to score"},
    }  # fmt: skip


@hookimpl
def evaluator():
    return Provider(
        "lm-eval",
        "tasks of EleutherAI's lm-evaluation-harness over your rows: choices, answers, texts",
        "tunesmith_lm_eval.evaluator:LmEval",
        settings=LmEvalSettings,
        accepts=("model/hf",),
        capabilities={"device.cpu": "full", "device.cuda": "unknown"},
        estimator="tunesmith_lm_eval.estimate:estimate",
        facts={"data": list(FORMATS), "metrics": _metrics()},
    )
