"""What tunesmith-mlx brings: the exporter `mlx`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_mlx.settings import MlxSettings
from tunesmith_models.model_directory import SIZES


@hookimpl
def exporter():
    return Provider(
        "mlx",
        "a model as MLX reads it, for mlx-lm and LM Studio on Macs with Apple silicon; in 8, 4 or 2 bits if wanted",
        "tunesmith_mlx.exporter:MlxExporter",
        settings=MlxSettings,
        accepts=("model/hf",),
        produces=("model/mlx",),
        capabilities={"lossless": "partial", "device.cpu": "full"},
        # what is not rounded is a checkpoint as others are
        facts={
            "metrics": SIZES,
            "log_probs": "tunesmith_mlx.runtime:log_probs",
            "layouts": {"model/mlx": {"config": ["quantization.bits", "quantization.group_size"]}},
        },
        estimator="tunesmith_mlx.estimate:estimate",
    )
