"""How long a training step takes, and what a rank sends in it, from the device's data sheet. Standard library and contracts only.

Not verified on hardware: nothing here was measured by us. The two shares of what data sheets say are what others publish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape

COMPUTED = 0.4  # of the matrix units' peak: torchtitan's docs/performance.md tells 0.52 to 0.58 of A100's for Llama 3, and less of H100's
MOVED = 0.7  # of a bandwidth: NCCL's tests come to 208 of 300 GB/s on A100 (nccl-tests#178) and to 370 of 450 on H100 (#212)
BUFFERS = 1.5  # of what is kept on a host, as DeepSpeed reckons (`additional_buffer_factor` of its estimate_zero*_model_states_mem_needs)
#: Seconds in which a host launches what a layer computes forward and backward for a micro-batch: a hundred kernels, ten microseconds each
#: for Python, PyTorch's dispatcher and the driver. However few tokens there are, a device that computes faster waits for its host.
LAUNCHING = 100 * 10e-6
FORWARD, BACKWARD = 2.0, 2.0  # operations for each parameter and token: what a matrix gives, and the gradient of what it was given


@dataclass(frozen=True)
class TrainingStep:
    """A step of training as a rank sees it.

    Args:
        strategy: parts, as in `tunesmith.contracts.kinds.trainer_strategy`.
        length: tokens of a sequence; `sequences`: of the whole batch; `together`: of a row, on one rank; `tokens`: of a micro-batch.
        trainable: numbers that train; `state`: bytes that the optimizer keeps for each.
        dtype: computed in; `compute`: its bytes.
        quantized: numbers that are kept in fewer bits.
        references: passes of a reference model.
    """

    shape: ModelShape
    strategy: Mapping[str, float]
    processes: int
    length: float
    sequences: float
    tokens: float
    trainable: float
    state: float
    dtype: str
    compute: float
    checkpointing: bool
    quantized: float = 0.0
    references: float = 0.0
    together: float = 1.0

    @property
    def rank_tokens(self) -> float:
        """Of a rank's share of the batch, whole rows; where there are fewer of them than shares, some ranks have none."""
        rows = ceil(self.sequences / self.together / self.strategy.get("data", self.processes))
        return rows * self.together * self.length

    @property
    def micro_batches(self) -> int:
        return max(1, ceil(self.rank_tokens / max(self.tokens, 1.0)))

    @property
    def operations(self) -> float:
        """Of a rank in a step (Kaplan et al., arXiv:2001.08361, 2.1; attention sees half of a sequence on average)."""
        shape = self.shape
        matrices = shape.active - shape.others - (0 if shape.tied else shape.vocabulary * shape.hidden)
        attention = 2 * shape.layers * shape.heads * shape.head_size * self.length
        forward = FORWARD * matrices + attention
        token = forward * (1 + self.checkpointing + self.references) + BACKWARD * (matrices + min(self.trainable, matrices)) + 2 * attention
        return token * self.rank_tokens * self.strategy.get("computes", 1.0)

    @property
    def kept_bytes(self) -> float:
        """Of all parameters as they are kept: what trains in float32."""
        return max(0.0, self.shape.parameters - self.trainable) * self.compute + self.trainable * 4

    @property
    def parameter_bytes(self) -> float:
        """Of all parameters as ranks gather them."""
        cast = self.strategy.get("cast", 0.0)
        return self.shape.parameters * cast if cast else self.kept_bytes

    @property
    def gathered(self) -> float:
        """Bytes that a rank sends of parameters and hidden states in a step."""
        hidden = self.tokens * self.shape.hidden * self.shape.layers * self.compute
        each = self.strategy.get("gather", 0.0) * self.parameter_bytes + self.strategy.get("exchange", 0.0) * hidden
        return self.micro_batches * each

    @property
    def reduced(self) -> float:
        """Bytes that a rank sends of gradients in a step."""
        times = self.micro_batches * self.strategy.get("reduce", 0.0) + self.strategy.get("reduce_step", 0.0)
        return times * self.trainable * 4

    @property
    def sent(self) -> float:
        return self.gathered + self.reduced

    def host_bytes(self, facts: Mapping[str, Any]) -> float:
        """What a rank takes of the host's memory: its share of what is kept there, and of the whole model that the first one loads. That is
        left out of a host of which nothing is known, for it passes."""
        share = self.strategy.get
        trained = 4 * share("host_gradients", 0.0) + self.state * share("host_optimizer", 0.0) + 4 * share("host_master", 0.0)
        kept = self.kept_bytes * share("host_parameters", 0.0) + self.trainable * trained
        beside = min(self.processes, int(facts.get("node", 1)))
        loading = self.kept_bytes * share("host_loading", 0.0) / beside if facts.get("host") else 0.0
        return max(BUFFERS * kept, kept + loading)

    def seconds(self, facts: Mapping[str, Any]) -> float:
        """On a device with these figures (see `Device.facts`); 0 where they are not known."""
        peak, bandwidth = float(facts.get("flops", {}).get(self.dtype, 0.0)), float(facts.get("bandwidth", 0.0))
        if not peak or not bandwidth:
            return 0.0
        computing = max(self.operations / (peak * COMPUTED), self._reading() / (bandwidth * MOVED), self._launching())
        moving = self._moving(facts)
        if moving is None:
            return 0.0
        numbers = self.trainable * self.strategy.get("optimizer", 1.0)
        stepping = 2 * numbers * (8 + self.state) / (bandwidth * MOVED)
        working = max(computing, moving) / (1 - min(self.strategy.get("idle", 0.0), 0.99))  # what is sent is sent meanwhile
        return working + stepping + self._offloaded(facts)

    def _launching(self) -> float:
        """Seconds of the host; a pass without gradients is a third of one with them."""
        passes = 1 + (self.checkpointing + self.references) / 3
        return self.micro_batches * passes * self.shape.layers * LAUNCHING * self.strategy.get("computes", 1.0)

    def _reading(self) -> float:
        """Bytes of weights that pass through the device's memory: however few tokens there are, each pass reads all of them."""
        passes = 2 + self.checkpointing + self.references
        weights = self.shape.parameters * self.compute + 2 * self.quantized * self.compute  # unpacked: written and read again
        return self.micro_batches * passes * weights * self.strategy.get("computes", 1.0)

    def _moving(self, facts: Mapping[str, Any]) -> float | None:
        """Seconds; None where the links that are needed are not known, among them those between nodes where there are several: what stages
        hand on is not counted, and passes there, too. A ring through all nodes uses every device's link to the others."""
        near, node = float(facts.get("link", 0.0)), int(facts.get("node", 1))
        far = min(near, float(facts.get("network", 0.0)) * node)
        if self.processes > node and not far:
            return None
        total = 0.0
        for size, group in ((self.gathered, self.strategy.get("group", self.processes)), (self.reduced, self.processes)):
            speed = near if group <= node else far
            if size and not speed:
                return None
            total += size / (speed * MOVED) if size else 0.0
        return total

    def _offloaded(self, facts: Mapping[str, Any]) -> float:
        """Seconds in which the host's memory is read and written, and the optimizer's step computed there."""
        share = self.strategy.get
        passes = 2 + self.checkpointing
        parameters = self.micro_batches * passes * self.parameter_bytes * share("host_parameters", 0.0)
        trained = self.trainable * share("host_optimizer", 0.0)
        moved = parameters + 8 * trained  # gradients there, numbers back
        link = float(facts.get("host_link", 0.0)) * MOVED
        here = min(self.processes, int(facts.get("node", 1)))
        return (moved / link if link else 0.0) + trained * here * share("host_step", 0.0)


def facts_of(request: EstimateRequest) -> Mapping[str, Any]:
    """Of the device that a rank computes on; nothing where some are not known."""
    return request.devices[0].facts if request.devices else {}
