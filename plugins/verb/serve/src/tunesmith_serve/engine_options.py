"""Options of engines that are programs of their own, as words of a command line. The standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.contracts import UserError

#: Options that no user gives to an engine, by the names that vLLM, SGLang and LMDeploy have for them, and why not.
STEPS_OWN = {
    "model": "the step's input is served", "model_path": "the step's input is served", "model_name": "the step's setting `name` says it",
    "served_model_name": "the step's setting `name` says it", "host": "it is a setting of the step", "port": "it is a setting of the step",
    "server_name": "it is a setting of the step", "server_port": "it is a setting of the step", "uds": "the endpoint has a port",
    "trust_remote_code": "no code out of checkpoints is run", "ssl": "the endpoint speaks plain HTTP",
    "ssl_keyfile": "the endpoint speaks plain HTTP", "ssl_certfile": "the endpoint speaks plain HTTP",
    "api_key": "steps that read the endpoint would not know it", "api_keys": "steps that read the endpoint would not know it",
    "root_path": "the endpoint's paths are known to others", "fastapi_root_path": "the endpoint's paths are known to others",
}  # fmt: skip


def words(
    known: Mapping[str, Any], given: Mapping[str, Any], *, engine: str, refused: Mapping[str, str] = STEPS_OWN, negates: bool = True
) -> tuple[str, ...]:
    """What is known by the step and the plugin's settings, and the user's further options, which come after and win.

    Args:
        known: by name with underscores.
        given: by name with underscores or hyphens.
        engine: its name, for the error.
        refused: option -> why it can't be given.
        negates: whether ``--no-name`` switches one off; else False can't be given.

    Raises:
        UserError: TS-SERVE-030 for options that can't be given.
    """
    given = {key.replace("-", "_"): value for key, value in given.items()}
    for key, value in given.items():
        if key in refused:
            raise UserError(
                "TS-SERVE-030", f"{engine}'s option `{key}` can't be given here", why=f"{refused[key].capitalize()}.",
                fix=f"Leave `{key}` out of `options`.",
            )  # fmt: skip
        if value is False and not negates:
            raise UserError(
                "TS-SERVE-030", f"{engine}'s option `{key}` can't be switched off", why="It is off unless it is given.",
                fix=f"Leave `{key}` out of `options`.",
            )  # fmt: skip
    return tuple(word for key, value in ({**known, **given}).items() for word in option(key, value))


def option(key: str, value: Any) -> Iterator[str]:
    """One option; nothing for None. True and False switch one on and off: ``--name``, ``--no-name``."""
    name = "--" + key.replace("_", "-")
    if value is None:
        return
    if isinstance(value, bool):
        yield name if value else "--no-" + name[2:]
        return
    yield name
    if isinstance(value, list):
        yield from map(str, value)
    else:
        yield json.dumps(value) if isinstance(value, Mapping) else str(value)
