"""Errors as the OpenAI API gives them."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

_KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
DONE = b"data: [DONE]\n\n"


class ApiError(Exception):
    """Ends a request with a status and an error object.

    Args:
        status: HTTP status.
        message: a sentence for a person; its full stop may be left out. Never holds a key.
        code: a word for programs, such as ``model_not_found``.
        retry_after: seconds.
    """

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None, retry_after: int = 0
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message.rstrip(". ") + ".", code, param
        self.retry_after = retry_after or (1 if status in (429, 503) else 0)

    def body(self) -> dict[str, Any]:
        kind = _KINDS.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> Response:
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status in (408, 413):  # the rest of the body is not read
            headers["Connection"] = "close"
        return json_response(self.body(), self.status, headers)

    def event(self) -> bytes:
        """What takes the place of the rest of a stream."""
        return b"data: " + json.dumps(self.body()).encode() + b"\n\n" + DONE


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """In ASCII: what a client has sent may hold half of a pair of surrogates, and be repeated here."""
    return Response(json.dumps(data), status, headers, "application/json")
