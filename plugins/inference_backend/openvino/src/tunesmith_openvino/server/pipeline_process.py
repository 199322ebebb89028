"""OpenVINO's continuous batching, in a process of its own: a step of it lets no other Python thread run meanwhile."""

from __future__ import annotations

import signal
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PipelineOptions:
    """How the pipeline is made.

    Args:
        scheduler: fields of `openvino_genai.SchedulerConfig`.
        properties: of OpenVINO's processor plugin.
    """

    scheduler: Mapping[str, Any]
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """A prompt, and how it is to be continued: fields of `openvino_genai.GenerationConfig`."""

    number: int
    prompt: array[int]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Continued:
    """What a step added to an answer; `ended`: there will be no more; `error`: why not, where the pipeline has not taken the request."""

    number: int
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    ended: bool
    error: str = ""


def make_pipeline(folder: Path, options: PipelineOptions) -> Any:
    import openvino_genai

    scheduler = openvino_genai.SchedulerConfig()
    for name, value in options.scheduler.items():
        setattr(scheduler, name, value)
    return openvino_genai.ContinuousBatchingPipeline(folder, scheduler, "CPU", dict(options.properties))


def run(connection: Connection, folder: Path, options: PipelineOptions) -> None:
    """Says None when the model is loaded, then lists of `Continued`; hears `Asked`, numbers of answers that nobody wants any more, and
    None when it is to end.

    Ends when it is told to or with its connection, not by signals: whoever is at its other end lets running answers end first.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    loop = PipelineLoop(make_pipeline(folder, options))
    connection.send(None)
    try:
        while True:
            while connection.poll(0 if loop.busy else None):
                if (said := connection.recv()) is None:
                    return
                loop.hear(said)
            if out := loop.step():
                connection.send(out)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


class PipelineLoop:
    """The pipeline's requests, by number."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._handles: dict[int, Any] = {}
        self._refused: list[Continued] = []

    @property
    def busy(self) -> bool:
        return bool(self._handles or self._refused) or self._pipeline.has_non_finished_requests()

    def hear(self, said: Asked | int) -> None:
        """Take a request in, or drop one."""
        if isinstance(said, int):
            if (handle := self._handles.pop(said, None)) is not None:
                handle.cancel()
            return
        import numpy
        import openvino
        import openvino_genai

        prompt = openvino.Tensor(numpy.array([said.prompt], dtype=numpy.int64))
        try:
            config = openvino_genai.GenerationConfig(**said.options)
            self._handles[said.number] = self._pipeline.add_request(said.number, prompt, config)
        except (RuntimeError, TypeError, ValueError) as error:  # this request's own affair
            self._refused.append(Continued(said.number, (), (), True, str(error)))

    def step(self) -> list[Continued]:
        """Compute one; what it gave."""
        from openvino_genai import GenerationStatus

        if self._pipeline.has_non_finished_requests():
            self._pipeline.step()
        out, self._refused = self._refused, []
        for number, handle in list(self._handles.items()):
            tokens: list[int] = []
            logprobs: list[float] = []
            ended = handle.get_status() != GenerationStatus.RUNNING
            while handle.can_read():
                for part in handle.read().values():
                    tokens += part.generated_ids
                    logprobs += part.generated_log_probs
            if ended:
                del self._handles[number]
            if tokens or ended:
                out.append(Continued(number, tuple(tokens), tuple(logprobs), ended))
        return out
