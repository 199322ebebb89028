"""Settings of the backend."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting

#: variables of vendors' own that a key may lie in; others are kept from the process (see `Provider.secrets`)
VENDORS = (
    "OPENAI_API_KEY", "OPENROUTER_API_KEY", "DEEPSEEK_API_KEY", "DASHSCOPE_API_KEY", "MISTRAL_API_KEY", "TOGETHER_API_KEY", "GROQ_API_KEY",
    "HF_TOKEN",
)  # fmt: skip


@dataclass(frozen=True)
class RemoteSettings:
    url: str = setting(
        help="base of the API: https://api.example.com/v1; it names no user, no password and no query", pattern=r"^https?://[^\s@?#]+$",
        examples=("https://api.example.com/v1",), aliases=("base_url", "api_base"),
    )  # fmt: skip
    model: str = setting("", "the model's name there; empty: the first that it lists")
    api_key_env: str = setting(
        "", f"environment variable that holds the key: TUNESMITH_REMOTE_..., {', '.join(VENDORS)}; empty: no key is sent",
        pattern=f"^(TUNESMITH_REMOTE_[A-Z0-9_]+|{'|'.join(VENDORS)})?$", examples=("OPENAI_API_KEY",),
        effect={"scene": "a server that is told keys"}, aliases=("api_key_variable",),
    )  # fmt: skip
    allow_http: bool = setting(
        False, "ask a server on another machine though its URL begins with http://: who is on the way reads the key and the texts",
        effect={"scene": "another machine without TLS"},
    )  # fmt: skip
    timeout: float = setting(
        600.0, "seconds without a byte after which an answer is given up", gt=0, le=86400,
        effect={"scene": "a server that falls silent"},
    )  # fmt: skip
