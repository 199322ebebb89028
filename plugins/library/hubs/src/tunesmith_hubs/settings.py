"""Settings that all hubs have."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class DownloadSettings:
    connections: int = setting(
        8, "parts that are fetched at the same time", ge=1, le=64, effect={"call": "threading:Thread.__init__"}, aliases=("max_workers",)
    )
    part_mib: int = setting(
        32, "size of a part in MiB; a killed download loses nothing of a part that was received", ge=1, le=4096,
        effect={"call": "urllib.request:OpenerDirector.open"},
    )  # fmt: skip
    max_retries: int = setting(
        5,
        "failures in a row, with nothing received in between, before a download gives up",
        ge=0,
        effect={"scene": "a hub that fails"},
        aliases=("retries",),
    )
    backoff: float = setting(
        1.0, "seconds to wait after the first failure; doubled after each further one", ge=0, effect={"scene": "a hub that fails"}
    )
    timeout: float = setting(
        20.0, "seconds without a byte after which a connection is taken for dead", gt=0,
        effect={"call": "urllib.request:OpenerDirector.open"},
    )  # fmt: skip


@dataclass(frozen=True)
class HubSettings(DownloadSettings):
    mirrors: tuple[str, ...] = setting(
        (),
        "addresses of servers with the same API, asked in turn when the hub fails, without a token; empty: $TUNESMITH_<LOADER>_MIRRORS",
        effect={"scene": "a mirror"},
        examples=(("https://mirror.example",),),
    )
