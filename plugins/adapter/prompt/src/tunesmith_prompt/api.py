"""What adapters with virtual tokens are made of: all of `tunesmith_prompt` that other distributions may import. It needs torch."""

from tunesmith_prompt import files, virtual_tokens
from tunesmith_prompt.adapter import unmergeable
from tunesmith_prompt.virtual_tokens import Before, cached, longer_mask, segments

__all__ = ["Before", "cached", "files", "longer_mask", "segments", "unmergeable", "virtual_tokens"]
