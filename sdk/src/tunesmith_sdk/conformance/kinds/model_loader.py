"""Checks of model loaders: pinned, complete, verified, the same after a kill, honest without a network."""

from __future__ import annotations

import dataclasses
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith.contracts import ModelInfo, TunesmithError, UserError
from tunesmith.contracts.artifacts import fits
from tunesmith_sdk.conformance.bench.files import same_after_a_kill
from tunesmith_sdk.conformance.bench.subject import Subject, contents
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check

_FILES = "file"  #: the scheme for which the kit has a model itself


def _uri(subject: Subject) -> str:
    """A model's, of the author's or of the kit's making."""
    try:
        return str(subject.author("uri"))
    except NotRun:
        if _FILES not in subject.record.facts.get("schemes", ()):
            raise
    return f"{_FILES}://{subject.material('taught')}"


def _resolved(subject: Subject) -> ModelInfo:
    uri = _uri(subject)  # before the loader is built: its author may have said in variables where the model lies
    return subject.build().resolve(uri, subject.step)


@action("model_loader", materials=("taught", "blank", "rows"))
def work(subject: Subject) -> None:
    """Resolve and fetch."""
    uri = _uri(subject)
    loader = subject.build()
    loader.fetch(loader.resolve(uri, subject.step), subject.step.output, subject.step)


@observer("model_loader")
def observe(subject: Subject) -> dict[str, Any]:
    """The model that it names."""
    uri = _uri(subject)
    loader = subject.build()
    info = loader.resolve(uri, subject.step)
    loader.fetch(info, subject.step.output, subject.step)
    return {"model": info}


@check(
    "model_loader.pins",
    kind="model_loader",
    title="`resolve` names a revision, a format that it declares and files, and the same when asked again",
)
def pins(subject: Subject) -> Iterator[CheckFailed]:
    info, again = _resolved(subject), _resolved(subject)
    if not info.revision:
        yield CheckFailed("it names no revision", fix="Give a commit, a version or a digest.")
    if not info.files or any(int(entry.get("size", -1)) < 0 for entry in info.files.values()):
        yield CheckFailed("it names no files, or files without a size", fix="List path -> size and sha256.")
    if not fits(info.format, subject.record.produces):
        yield CheckFailed(f"it will make {info.format}, and declares {', '.join(subject.record.produces)}", fix="Declare it in `produces`.")
    if (info.revision, dict(info.files)) != (again.revision, dict(again.files)):
        yield CheckFailed("asked twice of one model, it names different files", fix="Take nothing of the moment into the revision.")
    scheme = info.uri.partition("://")[0]
    if scheme not in subject.record.facts.get("schemes", ()):
        yield CheckFailed(f"its fact `schemes` lacks `{scheme}`", fix="Name every scheme that it serves.")


@check(
    "model_loader.fetches", kind="model_loader", title="`fetch` brings exactly the files that were named, in their size and with their hash"
)
def fetches(subject: Subject) -> Iterator[CheckFailed]:
    info, other = _resolved(subject), subject.elsewhere()
    subject.build().fetch(info, other.step.output, other.step)
    found = contents(other.step.output)
    if missing := sorted({*info.files} ^ {*found}):
        yield CheckFailed(f"named and fetched files differ: {', '.join(missing[:4])}", fix="Fetch what `resolve` names, and nothing else.")
    for name, entry in info.files.items():
        size = (Path(other.step.output) / name).stat().st_size
        if size != int(entry["size"]) or entry.get("sha256") not in ("", None, found[name]):
            yield CheckFailed(f"{name} is not what was named", found=f"{size} bytes, sha256 {found[name][:12]}", fix="Verify what arrives.")


@check("model_loader.verifies", kind="model_loader", title="a file with another hash than the one named is refused by a coded error")
def verifies(subject: Subject) -> None:
    info, other = _resolved(subject), subject.elsewhere()
    named = [name for name, entry in info.files.items() if entry.get("sha256")]
    if not named:
        raise NotRun("it names no hashes")
    files = {name: dict(entry) for name, entry in info.files.items()}
    files[named[-1]]["sha256"] = "0" * 64
    try:
        subject.build().fetch(dataclasses.replace(info, files=files), other.step.output, other.step)
    except TunesmithError:
        return
    raise CheckFailed(f"{named[-1]} has another hash than the one named, and is taken", fix="Compare hashes while files are written.")


@check(
    "model_loader.says-what-is-missing",
    kind="model_loader",
    title="a model that there is not is refused by TS-MODEL-001 or its like, with what to do",
)
def says(subject: Subject) -> None:
    uri = f"{_uri(subject).partition('@')[0]}-that-is-not-there"
    try:
        subject.build().resolve(uri, subject.step)
    except UserError as error:
        if error.code.startswith("TS-MODEL") and error.fix:
            return
        raise CheckFailed(
            f"it refuses {uri} by {error.code}" + ("" if error.fix else ", without a remedy"), fix="Raise TS-MODEL-001 or TS-MODEL-002."
        ) from error
    except Exception as error:
        raise CheckFailed(f"it refuses {uri} by {type(error).__name__}", found=str(error), fix="Raise UserError TS-MODEL-001.") from error
    raise CheckFailed(f"it resolves {uri}, which is not there", fix="Look whether the model exists.")


@contextmanager
def _no_network(asked: list[Any]) -> Iterator[None]:
    """Within it the process is told to be offline, and what it asks of the network is noted and refused."""
    real, variables = socket.socket.connect, {"TUNESMITH_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}

    def connect(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX:
            return real(self, address)
        asked.append(address)
        raise OSError("the network is closed")

    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    socket.socket.connect = connect  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.socket.connect = real  # type: ignore[method-assign]
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


@check(
    "model_loader.offline",
    kind="model_loader",
    level="gold",
    title="told to be offline it asks nothing of the network: it has the model, or says so by a coded error",
)
def offline(subject: Subject) -> None:
    asked: list[Any] = []
    other = subject.elsewhere()
    uri = _uri(subject)
    with _no_network(asked):
        try:
            loader = subject.build()
            loader.fetch(loader.resolve(uri, other.step), other.step.output, other.step)
        except UserError:
            pass
        except Exception as error:
            raise CheckFailed(
                f"offline, it fails by {type(error).__name__}", found=str(error), fix="Raise UserError TS-MODEL-002."
            ) from error
    if asked:
        raise CheckFailed(f"told to be offline, it asks {asked[0]}", fix="Heed TUNESMITH_OFFLINE before the first request.")


@check("model_loader.same-after-a-kill", kind="model_loader", level="gold", title="killed and started again, it brings the same files")
def after_a_kill(subject: Subject) -> None:
    same_after_a_kill(subject, work)
