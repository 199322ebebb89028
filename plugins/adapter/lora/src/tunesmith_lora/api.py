"""What low-rank adapters of other bases are made of: all of `tunesmith_lora` that other distributions may import.

A name is imported at its first use.
"""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_lora.adapter import Lora, adapted, adapted_experts
    from tunesmith_lora.estimate import parts
    from tunesmith_lora.settings import LoraSettings

__all__ = [
    "Lora",
    "LoraSettings",
    "adapted",
    "adapted_experts",
    "parts",
]

_MODULES = {
    "adapter": "Lora, adapted, adapted_experts",
    "estimate": "parts",
    "settings": "LoraSettings",
}
__getattr__ = exports(__name__, {name: f"tunesmith_lora.{module}" for module, names in _MODULES.items() for name in names.split(", ")})
