"""What the conformance kit can't know: a served model, who asks it, and engines that do not do as they should."""

import contextlib
import http.client
import json
import sys
import urllib.parse
import urllib.request
from dataclasses import asdict, replace
from typing import ClassVar

FREE = 32768  # the system gives ports from here on to whoever asks for any


def pipeline(case):
    return {"model": f"file://{case.material('taught')}", "steps": {"up": {"serve": "transformers", "settings": dict(case.settings)}}}


def visit(case, ready):
    """Under which name the model answers, at which port, and to which names of the machine."""
    port = urllib.parse.urlsplit(ready["url"]).port
    models, _ = asked(ready["url"])
    _, stranger = asked(ready["url"], host="llm.example.com")
    return {"models": [model["id"] for model in models["data"]], "port": str(port) if port < FREE else "any", "stranger": stranger}


def asked(url, **headers):
    """The answer to the question which models there are, and its status."""
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    try:
        connection.request("GET", f"{place.path}/models", headers=headers)
        answer = connection.getresponse()
        return json.loads(answer.read()), answer.status
    finally:
        connection.close()


def scene(case, setting, step, build):
    """An engine that is not up in time, one that dies and does not come up again, one that is stopped, one that takes adapters: what is
    told of each. And what a backend offers for a load that is expected."""
    if setting == "expect":
        return {"offers": offers(build().expect)}

    from tunesmith.contracts import Artifact, TunesmithError
    from tunesmith_sdk.local_step import LocalStep
    from tunesmith_sdk.testing.serving import Server

    backend = {
        "start_timeout": Fake("--silent", start_timeout=0.5),
        "restarts": Fake("--once", str(case.directory / "lived"), restarts=1),
        "shutdown_grace": Fake("--slow", "1.5"),  # longer than an engine that nobody asks anything may take
        "updatable": FakeUpdatable(),
    }[setting]
    inputs = {"model": Artifact("model/hf", case.directory)}
    step = LocalStep.make(case.directory, name="up", inputs=inputs, settings=build(), providers={"inference_backend": backend})
    try:
        server = Server(step)
        if setting == "updatable":
            server.stop()
            return {"told": sorted(step.reports.facts)}
        if setting == "restarts":
            with contextlib.suppress(http.client.HTTPException, OSError):  # it ends in the middle of the answer
                urllib.request.urlopen(f"{server.root}/exit", timeout=10)
            server.wait()
        server.stop()
    except TunesmithError as error:
        return {"ended": error.what, "decisions": len(step.reports.decisions)}
    return {"ended": str(server.failure), "decisions": len(step.reports.decisions)}


def offers(expect):
    """Settings of the backend `transformers` for a load on a small model."""
    from tunesmith.contracts import EstimateRequest
    from tunesmith.contracts.settings import fill, schema_of
    from tunesmith_transformers.estimate import variants
    from tunesmith_transformers.settings import TransformersSettings

    sizes = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128, "vocab_size": 1000}
    settings = fill(schema_of(TransformersSettings), {})
    return [*variants(EstimateRequest(sizes, settings=settings, step_settings={"expect": asdict(expect)}))]


class Fake:
    """An inference backend whose engine is the fake; `arguments` are its, `more` is the record's."""

    def __init__(self, *arguments, **more):
        self.arguments, self.more = arguments, more

    def engine(self, model, name, address, step):
        import fake_engine

        from tunesmith.contracts import Engine

        command = (sys.executable, "-S", fake_engine.__file__, str(address.port), *self.arguments)
        return replace(Engine(command, name="Fake"), **self.more)


class FakeUpdatable(Fake):
    """One whose engine would take adapters; nobody asks it to."""

    distance: ClassVar[dict] = {}

    def load(self, url, adapter, version): ...

    def complete(self, url, prompts, seeds, options):
        return []
