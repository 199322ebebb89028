"""What a training step keeps for its backward pass, counted tensor by tensor. Standard library and contracts only.

H is the hidden size, I the intermediate size, Q and K the widths of queries and keys, c the bytes per number computed in. All but the
last of the sums are bytes that a layer keeps for a token.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith_models import ModelShape

KEPT, BLOCK = 512, 128  # as in `blocked`: sequences up to this keep their probabilities on a CPU in bfloat16, block by block
PRODUCTS = 7  # matrices of a layer that a low-rank update may go on


@dataclass(frozen=True)
class Pass:
    """A forward pass.

    Args:
        tokens: in it.
        length: of a sequence.
        compute: c.
        device: name of the device backend.
        softcap: whether attention's scores are squeezed, which no kernel does: they are all kept.
    """

    shape: ModelShape
    tokens: float
    length: float
    compute: float
    device: str
    softcap: bool = False

    @property
    def blocked(self) -> bool:
        """Whether attention is `blocked`."""
        return self.compute < 4 and self.device == "cpu"

    @property
    def widths(self) -> tuple[int, int]:
        return self.shape.heads * self.shape.head_size, self.shape.kv_heads * self.shape.head_size

    @property
    def outputs(self) -> float:
        """Numbers that the matrices of a layer give for a token."""
        return sum(linear.count * linear.outputs for linear in self.shape.modules) / self.shape.layers


def own_layer(of: Pass, rank: float, head_norms: bool, sandwich: bool) -> float:
    """In the engine's own decoder (see `model.dense.fused_linear`), with low-rank updates of `rank` on all its matrices.

    The inputs of both norms; queries, keys (one block of memory), values, the queries once more, scaled or as the kernel's result, and the
    result; gate and up; the low-rank inputs; a number for each norm.
    """
    (queries, keys), c = of.widths, of.compute
    attention = c * (3 * queries + 2 * keys) + _scores(of)
    if head_norms:
        attention += c * (queries + 2 * keys)  # as they were before their norms
    return c * ((4 if sandwich else 2) * of.shape.hidden + 2 * of.shape.intermediate + PRODUCTS * rank) + attention + 8


def called_layers(of: Pass, outputs: float) -> float:
    """What comes on top where an adapter's own layers stand in the place of matrices and are called one by one: what norms and the
    activation give, and what the adapter keeps of each matrix's output."""
    return of.compute * (2 * of.shape.hidden + 2 * of.shape.intermediate + outputs * of.outputs)


def layer_work(of: Pass, outputs: float = 0.0) -> float:
    """What is made and given back within a layer, forward and backward: the MLP's inner numbers (once, then six times
    with their gradients), norms in float32 (once, then four numbers each), a row of queries, keys and values (twice again, with the
    result's gradient), and what is of the hidden size; of what an adapter keeps of outputs, two steps on the way there and two back."""
    hidden, inner, c = of.shape.hidden, of.shape.intermediate, of.compute
    queries, keys = of.widths
    own = c * (7 * inner + 7 * hidden + 3 * (queries + 2 * keys) + queries) + 4 * (2 + 8) * hidden
    return own + 4 * outputs * c * of.outputs


def library_layer(of: Pass, whole: bool, outputs: float = 0.0) -> float:
    """In transformers' model: what PyTorch keeps of each operation.

    Args:
        whole: its own matrices train: each keeps its input, in the type computed in.
        outputs: how often an adapter keeps what each matrix gives.
    """
    hidden, inner, c = of.shape.hidden, of.shape.intermediate, of.compute
    queries, keys = of.widths
    # A norm keeps what it is given in float32, and what it multiplies the weight with.
    norms = 2 * (4 * hidden + c * hidden) + (2 * c * hidden if whole else 0)
    attention = c * (3 * queries + 2 * keys) + _scores(of)
    return norms + attention + c * (4 * inner + outputs * of.outputs)


def _scores(of: Pass) -> float:
    """What attention keeps of a token's scores: all of them in three states and a mask, with keys and values repeated for every head; their
    probabilities, where those are kept; or a number a head."""
    if of.softcap:
        return (2 * of.compute + 4 + 1) * of.shape.heads * of.length + 2 * of.compute * of.widths[0]
    if not of.blocked:
        return 4.0 * of.shape.heads
    return of.compute * of.shape.heads * min(of.length, (of.length + BLOCK) / 2) if of.length <= KEPT else 0.0
