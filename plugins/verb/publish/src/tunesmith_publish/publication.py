"""From an artifact to a place that others read: the files, what there is to send, sending it, and looking at what lies there then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.digests import file_sha256
from tunesmith.errors import TunesmithError, UserError, listed
from tunesmith_hubs import Published, Publisher
from tunesmith_publish.changes import Changes, LocalFile, changes
from tunesmith_publish.directory import DirectoryPublisher
from tunesmith_publish.source import FOLDER, Source

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry
    from tunesmith_hub_folder.api import HubFolderSettings

HERE = "file"


@dataclass(frozen=True)
class Outcome:
    """
    Args:
        before: what there was to send.
        there: what lies there now.
    """

    before: Changes
    there: Published | None

    def to_json(self) -> dict[str, Any]:
        return {
            **self.before.to_json(),
            "revision": self.there.revision if self.there else "",
            "page": self.there.page if self.there else "",
        }


def publisher_of(target: str, registry: Registry) -> tuple[str, Publisher]:
    """The address with its scheme, and who puts something there.

    Raises:
        UserError: TS-PUBLISH-003 when nobody does.
    """
    from tunesmith.isolation.provider_import import load

    scheme, separator, _ = target.partition("://")
    if not separator or scheme == HERE:
        return target if separator else f"{HERE}://{Path(target).absolute()}", DirectoryPublisher()
    loaders = [record for record in registry.providers("model_loader").values() if record.facts.get("publisher")]
    found = [record for record in loaders if scheme in record.facts.get("schemes", ())]
    if not found:
        schemes = sorted({f"{name}://" for record in loaders for name in record.facts.get("schemes", ())} | {f"{HERE}://"})
        raise UserError("TS-PUBLISH-003", f"Nothing that is installed puts models to `{scheme}://`", fix=f"Name one of {listed(schemes)}.")
    return target, load(str(max(found, key=lambda record: record.priority).facts["publisher"]))()


@contextmanager
def files_of(source: Source, settings: HubFolderSettings) -> Iterator[dict[str, LocalFile]]:
    """name -> file, with the card; what was written for that is gone afterwards."""
    with TemporaryDirectory(prefix="tunesmith-publish-") as folder:
        if source.artifact.format == FOLDER:
            yield {name: _local(source.artifact.path / name, digest) for name, digest in source.sha256.items()}
            return
        from tunesmith_hub_folder.api import hub_files

        try:
            made = hub_files(source.artifact, source.reports, settings, settings.model_name or source.pipeline or "model")
        except ImportError as error:
            fix = "pip install 'tunesmith-publish[runtime]'"
            raise UserError(
                "TS-PUBLISH-004", "The library that writes model cards is not installed here", why=str(error), fix=fix
            ) from None
        files = {name: _local(path, source.sha256.get(name, "")) for name, path in made.copied.items()}
        for name, text in made.written.items():
            path = Path(folder, name)
            path.write_text(text, encoding="utf-8")
            files[name] = _local(path, "")
        yield files


def _local(path: Path, sha256: str) -> LocalFile:
    return LocalFile(path, path.stat().st_size, sha256 or file_sha256(path))


def publish(
    publisher: Publisher, uri: str, files: Mapping[str, LocalFile], before: Changes, message: str, public: bool, sent: Callable[[str], None]
) -> Outcome:
    """Send what is missing, then look.

    Raises:
        TunesmithError: TS-PUBLISH-005 when what lies there then is not what was sent.
    """
    missing = (*before.new, *before.changed)
    if missing:
        publisher.publish(uri, {name: files[name].path for name in missing}, message, public, sent)
    there = publisher.found(uri)
    left = changes(files, there)
    if wrong := (*left.new, *left.changed):
        raise TunesmithError(
            "TS-PUBLISH-005", f"{uri} has other files than were sent: {', '.join(wrong[:5])}", why="Their digests differ from those here.",
            fix="Run the command again: it sends what is wrong or missing. If that fails again, tell whoever keeps the place.",
        )  # fmt: skip
    return Outcome(before, there)
