"""What another library's engine needs to stand behind this server: the parts that requests are made of, and the host that answers them.

An engine has what the server asks for: ``submit``, ``cancel``, ``drain``, ``close``, ``limits`` and ``error``, as the default backend's has
them. What it can't do it refuses in ``submit``, by `ApiError`.
"""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_transformers.api.errors import ApiError
    from tunesmith_transformers.api.host import Host
    from tunesmith_transformers.engine.answer_growth import grown
    from tunesmith_transformers.engine.engine import Deliveries, Draining, QueueFull, sentence
    from tunesmith_transformers.engine.metrics import Metrics
    from tunesmith_transformers.engine.scheduler import Limits
    from tunesmith_transformers.engine.sequence import Delta, Sequence
    from tunesmith_transformers.sampling.generation_config import ignored, recommended
    from tunesmith_transformers.sampling.sampling_params import Sampling
    from tunesmith_transformers.text.answer_text import Output
    from tunesmith_transformers.text.grammar import Ungrammatical
    from tunesmith_transformers.text.token_logprob import TokenLogprob
    from tunesmith_transformers.text.vocabulary import Vocabulary

__all__ = [
    "ApiError", "Deliveries", "Delta", "Draining", "Host", "Limits", "Metrics", "Output", "QueueFull", "Sampling", "Sequence",
    "TokenLogprob", "Ungrammatical", "Vocabulary", "grown", "ignored", "recommended", "sentence",
]  # fmt: skip

_PARTS = {
    "api.errors": ("ApiError",), "api.host": ("Host",), "engine.answer_growth": ("grown",), "engine.metrics": ("Metrics",),
    "engine.engine": ("Deliveries", "Draining", "QueueFull", "sentence"), "engine.scheduler": ("Limits",),
    "engine.sequence": ("Delta", "Sequence"), "sampling.generation_config": ("ignored", "recommended"),
    "sampling.sampling_params": ("Sampling",), "text.grammar": ("Ungrammatical",), "text.token_logprob": ("TokenLogprob",),
    "text.answer_text": ("Output",),
    "text.vocabulary": ("Vocabulary",),
}  # fmt: skip
__getattr__ = exports(__name__, {name: f"tunesmith_transformers.{part}" for part, names in _PARTS.items() for name in names})
