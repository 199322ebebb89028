"""The model that is asked about: where it is from, and what is known of it before its weights are here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts import ModelInfo
from tunesmith.contracts.untrusted_files import open_regular
from tunesmith.errors import TunesmithError, UserError, listed
from tunesmith.spelling import near

if TYPE_CHECKING:
    from tunesmith_cli.api import Session
    from tunesmith_recommend.api import BaseModel

CONFIG, CARD = "config.json", "README.md"
PLAIN = "model/hf"
FILES, CONFIGURATION, CATALOGUE = "files", "configuration", "catalogue"
_NAMED = ("TS-MODEL-001", "TS-MODEL-002")  # of a loader: there is none, it can't be reached
_NOWHERE = ("TS-SPEC-013", "TS-MODEL-011")  # a name without a scheme
_CARD_BYTES = 2**20


@dataclass(frozen=True)
class Model:
    """
    Args:
        uri: as it is asked for; `revision`: what pins it, empty where nobody was asked.
        bytes: of its files; 0 if unknown.
        directory: where they lie already.
        described: what a catalogue says of it.
        known_from: its `FILES`, as their loader tells; its `CONFIGURATION` alone; a `CATALOGUE`.
        why: the loader could not tell, so that a catalogue has to.
    """

    uri: str
    format: str
    config: Mapping[str, Any]
    revision: str = ""
    bytes: int = 0
    directory: Path | None = None
    described: BaseModel | None = None
    files: Mapping[str, Any] = field(default_factory=dict)
    known_from: str = FILES
    why: str = ""

    @property
    def licence(self) -> tuple[str, str]:
        """It, and who says so: the model's own card, else the catalogue; empty where nobody does."""
        card = self.directory / CARD if self.directory else None
        if card and card.is_file() and (own := licence_of(card)):
            return own, CARD
        return (self.described.licence, self.described.brought_by) if self.described and self.described.licence else ("", "")

    @property
    def told(self) -> dict[str, Any]:
        licence, said_by = self.licence
        known = self.described
        return {
            "uri": self.uri, "revision": self.revision, "format": self.format, "bytes": self.bytes, "files": len(self.files),
            "licence": licence, "licence_said_by": said_by, "gated": known.gated if known else None,
            "languages": list(known.languages) if known else [], "released": known.released if known else "",
            "described_by": known.brought_by if known else "", "known_from": self.known_from, "why": self.why,
        }  # fmt: skip


def found(text: str, session: Session) -> Model:
    """
    Args:
        text: an address, a folder, a ``config.json``, or the name of a model in a loader's catalogue.

    Raises:
        UserError: TS-SPEC-013 or TS-MODEL-011 for what nobody knows; TS-CLI-017 for a configuration that can't be
            read; TS-MODEL-... as the loader says.
    """
    from tunesmith.planning.inputs.model_source import model_uri
    from tunesmith.planning.pipeline.spec import PipelineSpec
    from tunesmith_cli.api import read_config

    path = Path(text).expanduser()
    if path.suffix == ".json" and path.is_file():
        return Model(str(path), PLAIN, read_config(path), known_from=CONFIGURATION)
    known = None if path.exists() else described(text, session)
    if known and "://" not in text:
        return _as_described(known, "")
    try:
        with session.resolver() as resolve:
            info: ModelInfo = resolve(model_uri(PipelineSpec("model", text, {}, Path.cwd())))
    except TunesmithError as error:
        if known and error.code in _NAMED:
            return _as_described(known, error.what)
        if error.code in _NOWHERE and (meant := _nearly(text, session)):
            raise UserError(
                error.code, error.what, why=error.why, fix=f"{error.fix} Of the catalogue, did you mean {listed(meant)}?"
            ) from None
        raise
    size = sum(int(entry.get("size", 0)) for entry in info.files.values())
    folder = Path(info.directory) if info.directory else None
    return Model(info.uri, info.format, info.config, info.revision, size, folder, known, files=info.files)


def described(text: str, session: Session) -> BaseModel | None:
    """What the catalogues of the installed loaders say of it: by its address, its name, or the end of that after a slash."""
    wanted = text.partition("@")[0].lower()
    models = _catalogue(session)
    exact = [one for one in models if wanted in (one.uri.partition("@")[0].lower(), one.name.partition("@")[0].lower())]
    ends = [one for one in models if one.name.lower().rpartition("/")[2] == wanted]
    return next(iter(exact or ends), None)


def _nearly(text: str, session: Session) -> list[str]:
    """Names of the catalogue like this one, which may be the end of one."""
    names = {end: one.name for one in _catalogue(session) for end in (one.name.lower(), one.name.lower().rpartition("/")[2])}
    return list(dict.fromkeys(names[one] for one in near(text.lower(), list(names))))


def _catalogue(session: Session) -> list[BaseModel]:
    from tunesmith_recommend.api import installed_models

    return installed_models(session.registry)[0]


def licence_of(card: Path) -> str:
    """What the card's front matter names; empty where it has none."""
    with open_regular(card) as file:
        lines = file.read(_CARD_BYTES).decode("utf-8", "replace").splitlines()
    if not lines or lines[0].strip() != "---":
        return ""
    for line in lines[1:]:
        if line.strip() == "---":
            return ""
        key, separator, value = line.partition(":")
        if separator and key.strip() == "license":
            return value.strip().strip("'\"")
    return ""


def _as_described(known: BaseModel, why: str) -> Model:
    return Model(known.uri, known.format, known.config, bytes=known.bytes, described=known, known_from=CATALOGUE, why=why)
