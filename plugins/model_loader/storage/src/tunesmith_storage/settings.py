"""Settings of the loaders."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class StorageSettings:
    connections: int = setting(
        8, "parts that are fetched at the same time", ge=1, le=64, effect={"call": "threading:Thread.__init__"}, aliases=("max_workers",)
    )
    part_mib: int = setting(
        32, "size of a part in MiB; a killed download loses nothing of a part that was received", ge=1, le=4096,
        effect={"scene": "a folder that is read"},
    )  # fmt: skip
    max_retries: int = setting(
        5,
        "failures in a row, with nothing received in between, before a download gives up",
        ge=0,
        effect={"scene": "a server that fails"},
        aliases=("retries",),
    )
    backoff: float = setting(
        1.0, "seconds to wait after the first failure; doubled after each further one", ge=0, effect={"scene": "a server that fails"}
    )
    endpoint: str = setting("", "the store's address; empty: what its environment variable says, else the library's own",
                            effect={"scene": "another server"})  # fmt: skip
