"""Settings of the exporter `docker`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class DockerSettings:
    model_name: str = setting("", "the model's name in requests; empty: the pipeline's", aliases=("served_model_name",))
    port: int = setting(8080, "on which the server listens", ge=1024, le=65535)
    ctx_size: int | None = setting(
        None, "longest prompt and answer together, in tokens, at most the model's own; null: 4096, or the model's own if that is less",
        ge=1, aliases=("max_model_len", "num_ctx"),
    )  # fmt: skip
    parallel: int = setting(4, "answers generated at the same time; more of them wait", ge=1, le=256, aliases=("max_num_seqs",))
    base_image: str = setting(
        "python:3.12.7-slim-bookworm",
        "image with Python 3.10 or newer, with a tag or a digest that pins it",
        pattern=r"^[\w./-]+(:[0-9]+/[\w./-]+)?(:(?!latest$)[\w.-]+|(:[\w.-]+)?@sha256:[0-9a-f]{64})$",
        examples=("python:3.13.1-slim-bookworm",),
    )
