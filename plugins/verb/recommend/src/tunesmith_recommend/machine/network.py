"""Which of the hubs and registries that models come from answer, asked at once and not waited for long.

A model loader names its own in the fact `reach`: ``"acme_hub.address:address"``, a function of no arguments that gives what it would ask,
as the user has configured it. Whatever an address answers, a refusal too, is an answer: somebody is there.
"""

from __future__ import annotations

import importlib
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry

FACT = "reach"
TIMEOUT = 3.0  # seconds for an address


@dataclass(frozen=True)
class Reach:
    """
    Args:
        loader: who fetches from there.
        address: without what a password would be in.
        answers: whether somebody did; `why`: else, in words.
    """

    loader: str
    address: str
    answers: bool
    why: str = ""


def reached(registry: Registry, *, offline: bool = False, timeout: float = TIMEOUT) -> list[dict[str, Any]]:
    """What each model loader's address says; nothing is asked where `offline`."""
    loaders = [record for record in registry.providers("model_loader").values() if record.facts.get(FACT)]
    if offline or not loaders:
        return []
    with ThreadPoolExecutor(len(loaders), thread_name_prefix="reach") as pool:
        return [asdict(one) for one in pool.map(lambda record: _reach(record, timeout), loaders)]


def _reach(record: ProviderRecord, timeout: float) -> Reach:
    address = ""
    try:
        module, _, function = str(record.facts[FACT]).partition(":")
        address = str(getattr(importlib.import_module(module), function)())
        request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": "tunesmith-probe"})
        with urllib.request.urlopen(request, timeout=timeout):
            return Reach(record.name, without_password(address), True)
    except urllib.error.HTTPError:
        return Reach(record.name, without_password(address), True)
    except Exception as error:  # a plugin's function and what stands between here and there may fail in any way; that is the answer
        return Reach(record.name, without_password(address), False, str(getattr(error, "reason", error)) or type(error).__name__)


def without_password(address: str) -> str:
    """An address as it may be shown."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
