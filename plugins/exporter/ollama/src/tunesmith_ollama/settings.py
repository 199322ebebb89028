"""Settings of the exporter `ollama`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class OllamaSettings:
    template: str = setting(
        "auto",
        "auto: the model's chat template in Go's form, and refused where that can't be said; none: left out, so that Ollama guesses; "
        "else the template itself, in Go's form",
        pattern="\\S",
        examples=("none", "{{ .Prompt }}"),
    )
    system: str | None = setting(
        None, "system message of conversations that bring none; null: the one that the chat template has", examples=("Be brief.",)
    )
    stop: list[str] | None = setting(
        None, "texts at which an answer ends; null: the end of an assistant's turn in the chat template", examples=(["<|im_end|>"],)
    )
    temperature: float | None = setting(None, "null: as the model's generation_config.json says, if it does", ge=0.0, le=2.0)
    top_p: float | None = setting(None, "null: as the model's generation_config.json says, if it does", gt=0.0, le=1.0)
    top_k: int | None = setting(None, "null: as the model's generation_config.json says, if it does", ge=0)
    num_ctx: int | None = setting(
        None, "longest prompt and answer together, in tokens, at most the model's own; null: Ollama's default", ge=1,
        aliases=("max_model_len", "ctx_size"),
    )  # fmt: skip
