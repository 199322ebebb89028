"""What the conformance kit can't know: a server to stand elsewhere, and servers in which single settings matter."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import urllib.error
import urllib.request
from types import SimpleNamespace

from small_server import small_server

KEYS = {"OPENAI_API_KEY": "sk-one", "TUNESMITH_REMOTE_API_KEY": "sk-two"}


def settings(case):
    """The kit's own model, served by the default backend."""
    from tunesmith.contracts import Artifact
    from tunesmith_sdk.testing.serving import serving
    from tunesmith_transformers.backend import TransformersBackend
    from tunesmith_transformers.settings import TransformersSettings

    model = Artifact("model/hf", case.material("taught"))
    with serving(TransformersBackend(TransformersSettings()), model, case.directory, name="acme-large") as server:
        yield {"url": server.url, "model": "acme-large"}


def scene(case, setting, step, build):
    """One request by way of the backend: what the server elsewhere is sent, and what comes back."""
    if setting == "allow_http":
        return _asked(build, step, url="http://tunesmith.invalid/v1")
    os.environ.update(KEYS)
    with small_server(wait=2.0 if setting == "timeout" else 0.0) as server:
        return _asked(build, step, url=server.url), [request["key"] for request in server.asked]


def _asked(build, step, url):
    """Status and body of an answer; the code of a refusal to begin."""
    from tunesmith.contracts import Address, UserError

    backend, said = build(), []
    backend.settings = dataclasses.replace(backend.settings, url=url, model="acme-large")
    step.settings, step.cancelled = SimpleNamespace(shutdown_grace=5.0), threading.Event()

    def hear(method, params):
        if method == "$/ready":
            threading.Thread(target=ask, args=(params["url"],), daemon=True).start()

    def ask(here):
        body = json.dumps({"messages": [{"role": "user", "content": "The capital of France?"}]}).encode()
        request = urllib.request.Request(f"{here}/chat/completions", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                said.append((reply.status, reply.read().decode()))
        except urllib.error.HTTPError as error:
            said.append((error.code, error.read().decode()))
        except Exception as error:  # no answer, or one that is cut off
            said.append((0, type(error).__name__))
        finally:
            step.cancelled.set()

    step.notify = hear
    try:
        backend.serve(None, "under-test", Address(), step)
    except UserError as error:
        return error.code
    return said
