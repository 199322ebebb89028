"""The processor in a model's directory: it turns pictures and sounds into the model's inputs, and says which tokens stand for them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_torch.data.multimodal.detection import is_multimodal
from tunesmith_torch.data.tokenizer.loader import directory
from tunesmith_torch.transformers_library import quiet


def load_processor(source: Artifact | Path | str) -> Any:
    """The processor; None for a model of text alone.

    Raises:
        UserError: TS-TRAIN-060 when a model that sees or hears has none that can be loaded.
    """
    path = directory(source)
    if not is_multimodal(path):
        return None
    quiet()
    try:
        return _load(path)
    except (OSError, ValueError, KeyError, TypeError, ImportError, AttributeError) as error:
        raise UserError(
            "TS-TRAIN-060", f"The model {path.name} sees or hears, but its processor can't be loaded: {str(error).splitlines()[0]}",
            fix="Give a model whose directory holds its preprocessor_config.json or processor_config.json beside the tokenizer.",
        ) from error  # fmt: skip


def _load(path: Path) -> Any:
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES
    from transformers.processing_utils import MODALITY_TO_AUTOPROCESSOR_MAPPING

    config = transformers.AutoConfig.from_pretrained(path, local_files_only=True)
    original = getattr(transformers, PROCESSOR_MAPPING_NAMES[config.model_type])
    if not any("video" in name for name in original.get_attributes()):
        return original.from_pretrained(path, local_files_only=True)
    # Videos are given as pictures, so the part for videos, which needs torchvision, is left out.
    reduced = type(original.__name__, (_WithoutVideos, original), {})
    names = [name for name in reduced.get_attributes() if "video" not in name]
    parts = {name: MODALITY_TO_AUTOPROCESSOR_MAPPING[name].from_pretrained(path, local_files_only=True) for name in names}
    stored, _ = reduced.get_processor_dict(path, local_files_only=True)
    own = inspect.signature(original.__init__).parameters
    settings = {name: value for name, value in stored.items() if name in own and name not in reduced.get_attributes()}
    return reduced(**parts, **{name: None for name in own if "video_processor" in name}, **settings)


class _WithoutVideos:
    """Lets a processor be made without its part for videos."""

    def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
        return argument is None or super().check_argument_for_proper_class(argument_name, argument)  # type: ignore[misc]
