"""adapter/peft -> adapter/gguf: A and B of each matrix under the name, and in the order of rows, that llama.cpp gives it.

Source: llama.cpp's convert_lora_to_gguf.py (the keys, ``.lora_a`` and ``.lora_b``) and `LlamaModel.permute` of its converter.
llama.cpp adds (alpha / rank) B A to a matrix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, Result, Step
from tunesmith_gguf_lora.peft_config import LoraConfig
from tunesmith_gguf_lora.settings import GgufLoraSettings
from tunesmith_models import configuration

FILE = "adapter.gguf"
WEIGHTS = "adapter_model.safetensors"
#: model_type -> llama.cpp's architecture, and the matrices whose rows its converter puts in another order (rotary embedding in pairs)
_PAIRED = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
FAMILIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "llama": ("llama", _PAIRED), "mistral": ("llama", _PAIRED), "qwen2": ("qwen2", {}), "qwen3": ("qwen3", {}),
}  # fmt: skip
_NAME = re.compile(r"^base_model\.model\.(.+)\.lora_A\.weight$")


class GgufLoraExporter:
    def __init__(self, settings: GgufLoraSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write `adapter.gguf`.

        Raises:
            UserError: TS-EXPORT-004 when the adapter is more than A and B of a base model that is known here.
        """
        import gguf
        import numpy

        adapter = LoraConfig.read(source.path)
        base = configuration(source.refs["base"].path if "base" in source.refs else source.path)
        architecture, paired = adapter.family(base, FAMILIES)
        names = gguf.get_tensor_name_map(_architecture(gguf, architecture), base["num_hidden_layers"])
        kept = numpy.float16 if self.settings.outtype == "f16" else numpy.float32
        writer = gguf.GGUFWriter(output / FILE, architecture)
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, adapter.alpha)
        matrices = list(_matrices(source.path / WEIGHTS, adapter))
        for done, (module, a, b) in enumerate(matrices):
            step.check_cancelled()
            step.progress(done, len(matrices), what="convert to GGUF", unit="matrices")
            name = names.get_name(f"{module}.weight", try_suffixes=(".weight",))
            if name is None:
                raise adapter.cannot(f"llama.cpp knows no matrix {module}.")
            if heads := paired.get(module.rpartition(".")[2]):
                b = in_pairs(b, int(base.get(heads) or base["num_attention_heads"]))
            b = b * (adapter.scale(module, a.shape[0]) * a.shape[0] / adapter.alpha)
            writer.add_tensor(f"{name}.lora_a", numpy.ascontiguousarray(a.astype(kept)))
            writer.add_tensor(f"{name}.lora_b", numpy.ascontiguousarray(b.astype(kept)))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        step.progress(len(matrices), len(matrices), what="convert to GGUF", unit="matrices")
        return Result(metrics={"bytes": float((output / FILE).stat().st_size)})


def in_pairs(rows: Any, heads: int) -> Any:
    """Rows of queries or keys, from halves that are rotated together to neighbours: llama.cpp's order."""
    return rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def _architecture(gguf: Any, name: str) -> Any:
    return next(number for number, known in gguf.MODEL_ARCH_NAMES.items() if known == name)


def _matrices(file: Path, adapter: LoraConfig) -> Iterator[tuple[str, Any, Any]]:
    """(module, A of (rank, inputs), B of (outputs, rank)) in float32.

    Raises:
        UserError: TS-EXPORT-004 when there are tensors of another kind.
    """
    from safetensors import safe_open

    with safe_open(file, framework="np") as tensors:
        names = set(tensors.keys())
        modules = {name: found[1] for name in sorted(names) if (found := _NAME.match(name))}
        others = names - set(modules) - {name.replace(".lora_A.", ".lora_B.") for name in modules}
        if others or not modules:
            raise adapter.cannot(f"It holds {sorted(others)[0]}." if others else "It holds no A and B.")
        for name, module in modules.items():
            yield module, *(tensors.get_tensor(one).astype("float32") for one in (name, name.replace(".lora_A.", ".lora_B.")))
