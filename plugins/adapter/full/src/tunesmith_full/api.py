"""What adapters that train a model's own weights are made of: all of `tunesmith_full` that other distributions may import."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_full.adapter import Full
    from tunesmith_full.settings import FullSettings

__all__ = [
    "Full",
    "FullSettings",
]

_MODULES = {
    "adapter": "Full",
    "settings": "FullSettings",
}
__getattr__ = exports(__name__, {name: f"tunesmith_full.{module}" for module, names in _MODULES.items() for name in names.split(", ")})
