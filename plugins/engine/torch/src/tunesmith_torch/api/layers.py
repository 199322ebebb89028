"""A model's layers: finding those that settings name, their sizes, and putting others in their place."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_torch.adapter.target_modules import (
        ALL,
        block_ends,
        decoder_layers,
        layer_seed,
        replace,
        switched_off,
        targets,
        targets_and_stacks,
    )
    from tunesmith_torch.model.linear_layers import Stack, linears, sizes, stacks, transposed, upright
    from tunesmith_torch.model.low_rank import Update

__all__ = [
    "ALL",
    "Stack",
    "Update",
    "block_ends",
    "decoder_layers",
    "layer_seed",
    "linears",
    "replace",
    "sizes",
    "stacks",
    "switched_off",
    "targets",
    "targets_and_stacks",
    "transposed",
    "upright",
]

__getattr__ = exports(
    __name__,
    {
        "linears": "tunesmith_torch.model.linear_layers",
        "transposed": "tunesmith_torch.model.linear_layers",
        "sizes": "tunesmith_torch.model.linear_layers",
        "upright": "tunesmith_torch.model.linear_layers",
        "Stack": "tunesmith_torch.model.linear_layers",
        "stacks": "tunesmith_torch.model.linear_layers",
        "Update": "tunesmith_torch.model.low_rank",
        "ALL": "tunesmith_torch.adapter.target_modules",
        "targets": "tunesmith_torch.adapter.target_modules",
        "targets_and_stacks": "tunesmith_torch.adapter.target_modules",
        "decoder_layers": "tunesmith_torch.adapter.target_modules",
        "block_ends": "tunesmith_torch.adapter.target_modules",
        "replace": "tunesmith_torch.adapter.target_modules",
        "layer_seed": "tunesmith_torch.adapter.target_modules",
        "switched_off": "tunesmith_torch.adapter.target_modules",
    },
)
