"""Settings of the exporter `mlx`."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting

#: of a group with a scale: what MLX packs, and the check `audit` unpacks
BITS, GROUPS = (0, 2, 4, 8), (32, 64, 128)


@dataclass(frozen=True)
class MlxSettings:
    bits: int = setting(
        0, "bits of a weight, rounded in groups that share a scale, without rows of data; 0: not rounded",
        choices=BITS, aliases=("q_bits",),
    )  # fmt: skip
    group_size: int = setting(
        64, "weights that share a scale, with `bits`: fewer are nearer to the model, and take more space",
        choices=GROUPS, aliases=("q_group_size",), effect={"with": {"bits": 4}},
    )  # fmt: skip
    dtype: str = setting(
        "auto", "how what is not rounded is kept: auto: as in the checkpoint",
        choices=("auto", "float32", "bfloat16", "float16"), aliases=("torch_dtype",),
    )  # fmt: skip
