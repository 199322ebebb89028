"""A tiny model with a real tokenizer, and a server on it in this process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tunesmith.contracts import Address, Artifact, Cancelled, Placement
from tunesmith_transformers.backend import TransformersBackend
from tunesmith_transformers.settings import TransformersSettings

TEMPLATE = (
    "{% if tools %}<|im_start|>tools\n{{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for m in messages %}{% if m.role == 'tool' and not loop.previtem %}{{ raise_exception('a tool speaks first') }}{% endif %}"
    "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CORPUS = ["the quick brown fox jumps over the lazy dog", "continuous batching joins new sequences between two steps", "naïve café 东京"] * 4


@dataclass
class LocalStep:
    """A step in this process, for a backend under test."""

    name: str = "api"
    settings: Any = None
    placement: Placement = field(default_factory=Placement)
    facts: dict[str, Any] = field(default_factory=dict)
    decisions: list[tuple[str, str]] = field(default_factory=list)
    logs: list[tuple[str, str]] = field(default_factory=list)
    up: threading.Event = field(default_factory=threading.Event)
    cancel: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: float, total: float | None = None, *, what: str = "", unit: str = "") -> None: ...

    def log(self, message: str, level: str = "info") -> None:
        self.logs.append((level, message))

    def decide(self, what: str, reason: str) -> None:
        self.decisions.append((what, reason))

    def ready(self, **facts: Any) -> None:
        self.facts = facts
        self.up.set()

    def check_cancelled(self) -> None:
        if self.cancel.is_set():
            raise Cancelled

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        return self.cancel.wait(timeout)


class Server:
    """A backend serving in a thread."""

    def __init__(self, path: Path, name: str, settings: TransformersSettings, address: Address, format: str) -> None:
        self.step = LocalStep()
        self.name = name
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, args=(Artifact(format, path), settings, address))
        self._thread.start()

    def _serve(self, artifact: Artifact, settings: TransformersSettings, address: Address) -> None:
        try:
            TransformersBackend(settings).serve(artifact, self.name, address, self.step)
        except BaseException as error:
            self.failure = error
        finally:
            self.step.up.set()

    def wait(self) -> Server:
        assert self.step.up.wait(120)
        if self.failure is not None:
            raise self.failure
        return self

    @property
    def url(self) -> str:
        return self.step.facts["url"]

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def client(self, **options: Any) -> Any:
        import openai

        return openai.OpenAI(base_url=self.url, api_key="none", max_retries=0, **options)

    def metric(self, name: str, **labels: str) -> float:
        """A sample from /metrics; 0 if it is not there."""
        import httpx
        from prometheus_client.parser import text_string_to_metric_families

        for family in text_string_to_metric_families(httpx.get(f"{self.root}/metrics").text):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return 0.0

    def ask_to_stop(self) -> None:
        self.step.cancel.set()

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()


Serve = Callable[..., contextlib.AbstractContextManager[Server]]


@contextlib.contextmanager
def serving(path: Path, name: str = "tiny", *, address: Address = Address(), format: str = "model/hf", **settings: Any) -> Iterator[Server]:  # noqa: B008
    server = Server(path, name, TransformersSettings(**{"dtype": "float32", **settings}), address, format)
    try:
        yield server.wait()
    finally:
        server.ask_to_stop()
        server.join()


@pytest.fixture(scope="session")
def serve() -> Serve:
    return serving


def make_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=384, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    core.train_from_iterator(CORPUS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=TEMPLATE)


def make_model(tokenizer: Any, directory: Path, **config: Any) -> Path:
    """A random Llama; weights are large enough for answers to be definite."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2}
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), max_position_embeddings=512, initializer_range=0.15, eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None, pad_token_id=tokenizer.pad_token_id, **{**sizes, **config},
        )  # fmt: skip
    )
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return make_tokenizer()


@pytest.fixture(scope="session")
def tiny(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's directory."""
    return make_model(tokenizer, tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def reference(tiny: Path) -> Any:
    """The tiny model in transformers itself."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny, dtype="float32").eval()


@pytest.fixture(scope="session")
def server(tiny: Path) -> Iterator[Server]:
    """A server that tests share; it keeps running."""
    with serving(tiny) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Any:
    return server.client()
