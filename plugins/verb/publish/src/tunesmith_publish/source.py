"""What is published: an artifact of this home, its files with their digests, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.contracts import Artifact, fits
from tunesmith.errors import UserError, did_you_mean, listed

FOLDER = "folder/huggingface"  # a card is in it
_TAKEN = ("model/*+*", "adapter/*+*", FOLDER)
_REPORT = "report/metrics"


@dataclass(frozen=True)
class Source:
    """
    Args:
        sha256: name -> hexadecimal digest of each file, as the store has written it down.
        reports: what was measured of it, in any run of this home.
        step: that gave it, or empty.
        pipeline: whose step that is, or empty.
    """

    artifact: Artifact
    sha256: Mapping[str, str]
    reports: tuple[Artifact, ...]
    step: str = ""
    pipeline: str = ""


def source_of(name: str, run: str | None) -> Source:
    """
    Args:
        name: a step of a run, or the beginning of an artifact's digest.
        run: the beginning of a run's id; None: the last one.

    Raises:
        UserError: TS-PUBLISH-001 there is none of that name, 002 it is nothing that is published.
        TunesmithError: TS-STORE-... its files are not what they were when it was made.
    """
    from tunesmith.running.store.store import Store
    from tunesmith_cli.api import chosen_run

    with chosen_run(run) as view:
        store, pipeline = Store(view.home), view.row.pipeline
        steps = {step: one.row.artifact for step, one in view.steps.items() if one.row.artifact}
    digest = steps.get(name) or ("" if run else next(_beginning(store, name), ""))
    if not digest:
        fix = did_you_mean(name, steps) or f"It has {listed(steps)}; `tunesmith store ls` lists all artifacts."
        raise UserError("TS-PUBLISH-001", f"`{name}` is no step of the run that has given something, and no artifact", fix=fix)
    artifact, record = store.get(digest), store.record(digest)
    if artifact is None or record is None or not fits(artifact.format, _TAKEN):
        what = f"`{name}` is {artifact.format}" if artifact else f"`{name}` is not whole any more"
        raise UserError("TS-PUBLISH-002", f"{what}: models, adapters and folders of the exporter `huggingface` are published",
                        fix="Name a step that gives one of these.")  # fmt: skip
    store.verify(digest)
    reports = tuple(filter(None, (store.get(one) for one in store.digests() if _measured(store, one, digest))))
    step = name if name in steps else ""
    files = {str(file): str(entry[0]).removeprefix("sha256:") for file, entry in record["files"].items()}
    return Source(artifact, files, reports, step, pipeline if step else "")


def _beginning(store, name: str):
    number = name.removeprefix("sha256:")
    return (one for one in store.digests() if len(number) >= 6 and one.removeprefix("sha256:").startswith(number))


def _measured(store, digest: str, model: str) -> bool:
    record = store.record(digest)
    return bool(record) and record["format"] == _REPORT and (record.get("inputs") or {}).get("model") == model
