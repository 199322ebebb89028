"""What tunesmith-perplexity brings: the evaluator `perplexity`."""

from tunesmith.contracts.provider import Need, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_perplexity.settings import PerplexitySettings

METRICS = {
    "perplexity": {"better": "lower", "summary": "exp of nll: between how many tokens the model hesitates, on average"},
    "nll": {"better": "lower", "summary": "mean negative log-likelihood of a token of an answer, in nats"},
    "tokens": {"summary": "tokens of answers that were looked at"},
}


_RECOMMEND = {
    "order": 10, "settings": {"dtype": "auto"}, "rule": "every token of an answer counts, nothing is generated, and few rows say much",
    "source": "Jurafsky and Martin, Speech and Language Processing (3rd ed. draft), 3.3",
}  # fmt: skip


@hookimpl
def evaluator():
    return Provider(
        "perplexity",
        "how surprised a model is by the answers of a dataset",
        "tunesmith_perplexity.evaluator:Perplexity",
        settings=PerplexitySettings,
        accepts=("model/hf", "model/bnb", "endpoint/openai"),
        capabilities={"device.cpu": "full", "device.cuda": "unknown"},
        needs=(Need("producer", "api.echo", "it reads the log-probabilities of a prompt's tokens", formats=("endpoint/openai",)),),
        facts={"data": ["dataset/chat", "dataset/text"], "metrics": METRICS, "recommend": _RECOMMEND},
        estimator="tunesmith_perplexity.estimate:estimate",
    )
