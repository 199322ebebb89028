"""Not an engine: samples from a tiny model in the test's own process, behind the real control channel, and misbehaves as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch

from tunesmith.contracts import Artifact
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_serve.control_channel import ControlChannel
from tunesmith_serve.updatable import EngineFailed, SampledCompletion, SamplingOptions
from tunesmith_torch.model.loader import load_model


class FakePolicy:
    """Computes with transformers' model and the adapter that it was given.

    Args:
        shift: is added to each log-probability.
        lag: versions that it tells behind the one that it was given.
        dies_at: the how manieth call of `complete` fails, from 1; 0: none.
    """

    def __init__(self, base: Artifact, *, shift: float = 0.0, lag: int = 0, dies_at: int = 0) -> None:
        self.base, self.shift, self.lag, self.dies_at = base, shift, lag, dies_at
        self.loaded: list[int] = []
        self.distance, self.takes = {"float32": 1e-3}, ("adapter/peft", "model/hf")
        self.calls, self.sleeps, self.slept = 0, False, []

    def load(self, url: str, weights: Artifact, version: int) -> None:
        if weights.format == "model/hf":
            self.model = load_model(weights)
        else:
            self.model = load_model(self.base)
            Lora(LoraSettings(r=4, lora_alpha=8.0)).load(self.model, weights.path)
        self.model.eval()
        self.loaded.append(version)

    def sleep(self, url: str) -> None:
        self.slept.append("sleep")

    def wake(self, url: str) -> None:
        self.slept.append("wake")

    def complete(self, url: str, prompts: list[list[int]], seeds: list[int], options: SamplingOptions) -> list[list[SampledCompletion]]:
        self.calls += 1
        if self.calls == self.dies_at:
            raise EngineFailed("ConnectionRefusedError: it was killed")
        return [self._of_prompt(prompt, seed, options) for prompt, seed in zip(prompts, seeds, strict=True)]

    @torch.no_grad()
    def _of_prompt(self, prompt: list[int], seed: int, options: SamplingOptions) -> list[SampledCompletion]:
        drawn, found = torch.Generator().manual_seed(seed), []
        for _ in range(options.n):
            tokens, log_probs = [], []
            while len(tokens) < options.max_tokens and not {*tokens[-1:]} & {*options.stop_token_ids}:
                logits = self.model(torch.tensor([[*prompt, *tokens]])).logits[0, -1].float() / options.temperature
                logs = torch.log_softmax(logits, 0)
                tokens.append(int(torch.multinomial(logs.exp(), 1, generator=drawn)))
                log_probs.append(float(logs[tokens[-1]]) + self.shift)
            ended = tokens[-1] in options.stop_token_ids
            found.append(SampledCompletion(self.loaded[-1] - self.lag, tokens, log_probs, ended))
        return found


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@contextmanager
def endpoint(policy: FakePolicy) -> Iterator[Artifact]:
    """What a serving step with `updatable` gives to its readers."""
    engine = ThreadingHTTPServer(("127.0.0.1", 0), _Healthy)
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    with ControlChannel(policy, 10.0) as channel:
        facts = channel.told({"url": f"http://127.0.0.1:{engine.server_port}/v1", "model": "bot"})
        yield Artifact("endpoint/openai", policy.base.path, "key", refs={"model": policy.base}, meta=facts)
    engine.shutdown()
    engine.server_close()
