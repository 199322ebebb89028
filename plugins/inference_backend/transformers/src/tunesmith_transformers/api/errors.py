"""Errors as the OpenAI API gives them."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse


class ApiError(Exception):
    """Ends a request with a status and an error object.

    Args:
        status: HTTP status.
        message: a sentence for a person, or several; its last full stop may be left out.
        param: the request's field that it is about.
        code: a word for programs, such as ``model_not_found``.
    """

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        message = message if message.endswith(("?", " ...")) else message.rstrip(". \n") + "."
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code

    def body(self) -> dict[str, Any]:
        kinds = {404: "not_found_error", 429: "rate_limit_error"}
        kind = kinds.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        headers = {"Retry-After": "1"} if self.status in (429, 503) else {}
        if self.status in (408, 413):  # the rest of the body is not read
            headers["Connection"] = "close"
        return JSONResponse(self.body(), self.status, headers)


def unexpected(error: Exception) -> ApiError:
    """What a client is told of a fault of ours, whose traceback is in the log."""
    return ApiError(500, f"The server failed at this request: {type(error).__name__}: {error}", code="internal_error")
