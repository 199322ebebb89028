"""Answers that are kept to a schema: refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from tunesmith_transformers.api.engines import Ungrammatical


class NoGrammars:
    """In the place of the server's grammars: OpenVINO's pipeline ends for all where it can't follow a schema, and says so too late."""

    def of(self, schema: Mapping[str, Any]) -> NoReturn:
        raise Ungrammatical("OpenVINO's pipeline is served without grammars; another inference backend keeps answers to a schema")
