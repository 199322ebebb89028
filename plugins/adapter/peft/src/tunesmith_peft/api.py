"""What adapters of PEFT's further tuners are made of: all of `tunesmith_peft` that other distributions may import.

A name is imported at its first use.
"""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_peft.adapter import NAME, PeftAdapter
    from tunesmith_peft.estimate import adapted, divides, of_method

__all__ = [
    "NAME",
    "PeftAdapter",
    "adapted",
    "divides",
    "of_method",
]

_MODULES = {
    "adapter": "NAME, PeftAdapter",
    "estimate": "adapted, divides, of_method",
}
__getattr__ = exports(__name__, {name: f"tunesmith_peft.{module}" for module, names in _MODULES.items() for name in names.split(", ")})
