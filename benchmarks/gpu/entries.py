"""What the two commands do, each with the seconds that it may take: together nine and a half minutes at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Entry:
    """Args:
    module: of this folder, with a function `run`.
    limit: seconds after which it is stopped.
    given: what `run` is told beside the device.
    """

    name: str
    suite: str
    module: str
    limit: int
    summary: str
    given: Mapping[str, Any] = field(default_factory=dict)


TEST, BENCH = "test", "bench"
ENTRIES = (
    Entry("losses", TEST, "losses", 90, "losses and gradient norms in each type of numbers, against float32 on the processor"),
    Entry("attention", TEST, "attention", 60, "kernels for packed sequences against the loop over them", {"timed": False}),
    Entry("quantized", TEST, "quantized", 60, "qlora's losses against the processor's", {"timed": False}),
    Entry("pipeline", TEST, "pipeline", 90, "plan and run of a pipeline by the command line"),
    Entry("marked", TEST, "marked", 60, "tests with the marker gpu"),
    Entry("throughput", BENCH, "throughput", 90, "tokens a second and MFU, against transformers and PEFT", {"name": "qwen3-0.6b"}),
    Entry("throughput-4b", BENCH, "throughput", 90, "the same in the shape of a larger model", {"name": "qwen3-4b-12-layers"}),
    Entry("memory", BENCH, "memory", 90, "peak memory against the estimate"),
    Entry("attention-time", BENCH, "attention", 90, "kernels for packed sequences: times", {"timed": True}),
    Entry("quantized-time", BENCH, "quantized", 60, "qlora against lora", {"timed": True}),
    Entry("serving", BENCH, "serving", 60, "32 conversations at once"),
)
TOTAL = {TEST: 210, BENCH: 360}  #: seconds of each command: an entry that would begin later is not begun
PATIENCE = 10  #: times as long without a GPU, where nobody waits and a machine may have much else to do
