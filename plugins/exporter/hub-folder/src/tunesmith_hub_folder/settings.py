"""Settings of the exporter `huggingface`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class HubFolderSettings:
    model_name: str = setting("", "title of the card; empty: the pipeline's name")
    summary: str = setting("", "what the model is for, and for whom, in your words")
    license: str = setting(
        "", "as the hub writes it; empty: the base model's where its files say one, else unknown",
        pattern=r"^[a-z0-9.-]*$", examples=("apache-2.0",), aliases=("licence",),
    )  # fmt: skip
    base_model: str = setting(
        "", "as the hub names it; empty: where the model was fetched from, if that was the hub",
        pattern=r"^$|^[\w.-]+/[\w.-]+$", examples=("HuggingFaceTB/SmolLM2-135M-Instruct",),
    )  # fmt: skip
    language: list[str] = setting([], "of its texts, as ISO 639 codes", examples=(["en"],))
    tags: list[str] = setting([], "by which it is found on the hub", examples=(["support"],))
