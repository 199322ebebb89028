"""What a gateway's file may say. Times are in seconds, sizes in bytes; 0 of a limit means none."""

from __future__ import annotations

from dataclasses import dataclass, field

from tunesmith.contracts import setting


@dataclass(frozen=True)
class LimitSettings:
    """Of one key; without keys, of one client address."""

    requests_per_minute: int = setting(0, "requests a minute, as many of them at once; more get status 429. 0: any number", ge=0)
    concurrency: int = setting(0, "requests under way at a time; more get status 429. 0: any number", ge=0)
    max_request_bytes: int = setting(0, "largest request body, where it is less than the gateway's own. 0: the gateway's", ge=0)


@dataclass(frozen=True)
class UpstreamSettings:
    """Who answers: one of `url` and `step`."""

    url: str = setting("", "an OpenAI-compatible server: https://host/v1", examples=("http://127.0.0.1:8000/v1",))
    step: str = setting("", "a step of this home that serves: its name, or RUN/STEP", examples=("api",))
    model: str = setting("", "the model's name there (an adapter's, where one is served beside its base); empty: the name here")
    key_env: str = setting("", "environment variable with the key that the server asks for", examples=("OPENAI_API_KEY",))


@dataclass(frozen=True)
class ModelSettings(UpstreamSettings):
    """A name for clients: one server, or several of one version among which requests are shared out."""

    upstreams: list[UpstreamSettings] = setting([], "several servers of the same version, instead of `url` or `step`")


@dataclass(frozen=True, kw_only=True)
class KeySettings(LimitSettings):
    """One entry of a file of keys."""

    name: str = setting(
        help="whose it is; in logs and metrics: letters, digits, dots, hyphens and underscores",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
    )
    hash: str = setting(help="sha256: and the hexadecimal SHA-256 of the key", pattern=r"^sha256:[0-9a-f]{64}$")
    models: list[str] = setting([], "models that it may ask; empty: all")


@dataclass(frozen=True)
class GatewaySettings:
    host: str = setting("127.0.0.1", "address to listen on; another than this machine's own asks for keys")
    port: int = setting(8080, "port to listen on; 0: any free one", ge=0, le=65535)
    discover: bool = setting(False, "take up every running endpoint of this home under its model's name, as they come and go")
    models: dict[str, ModelSettings] = setting({}, "name for clients -> who answers")
    keys_file: str = setting("", "file of hashed keys (`tunesmith gateway key` writes it); read again when it changes")
    keys_env: str = setting("", "environment variable with keys, separated by commas", examples=("GATEWAY_KEYS",))
    allow_without_keys: bool = setting(False, "listen on another address than this machine's own without any key")
    limits: LimitSettings = field(
        default_factory=LimitSettings, metadata={"schema": {"description": "limits of each key that has none of its own"}}
    )
    max_request_bytes: int = setting(4 * 2**20, "largest request body; more gets status 413", ge=1024, le=2**30)
    tls_certificate: str = setting("", "file with the certificate chain, for https")
    tls_key: str = setting("", "file with the certificate's private key")
    cors_origins: list[str] = setting([], "web pages that may call from a browser", examples=(["https://app.example.com"],))
    allowed_hosts: list[str] = setting([], "names beside this machine's own under which it may be asked, where it listens on it alone")
    access_log: str = setting("-", "file for a line of JSON per request; -: stderr; empty: none")
    access_log_contents: bool = setting(False, "also what was asked, word for word")
    traces: str = setting(
        "", "OpenTelemetry collector (OTLP over HTTP) that is sent a span per request", examples=("http://127.0.0.1:4318",)
    )
    connect_timeout: float = setting(5.0, "for a connection to a server", gt=0)
    first_byte_timeout: float = setting(600.0, "until a server begins its answer; then it is taken to hang", gt=0)
    idle_timeout: float = setting(120.0, "between two pieces of a stream; then it is taken to hang", gt=0)
    client_timeout: float = setting(30.0, "for a client to send its whole request, or to take a piece of its answer", gt=0)
    upstream_wait: float = setting(30.0, "that a request waits for a server to come up (again)", ge=0)
    max_retries: int = setting(2, "further tries of a request at a server, where nothing of an answer was sent", ge=0, le=10)
    resume_streams: bool = setting(
        False, "take up a stream that breaks off at another server, where `temperature: 0` or a `seed` makes its text the same again"
    )
    health_interval: float = setting(2.0, "between two looks at each server", gt=0)
    shutdown_grace: float = setting(30.0, "that running requests get to end when the gateway is stopped", ge=0, le=86400)
