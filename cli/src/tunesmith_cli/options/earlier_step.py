"""Steps of earlier commands and of pipeline files, for ``--from``: what they made is in the store, so taking it up costs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import Problems, UserError, did_you_mean
from tunesmith_cli.launch import DEFAULT_FILE, Session

if TYPE_CHECKING:
    from tunesmith.planning.pipeline.spec import PipelineSpec

_MODEL = "model"  # how steps call the pipeline's model


@dataclass(frozen=True)
class Earlier:
    """A pipeline cut down to some of its steps and all that these need, its paths absolute."""

    model: str
    steps: Mapping[str, Mapping[str, Any]]

    @classmethod
    def find(cls, session: Session, file: str | None, sources: Sequence[str]) -> Earlier:
        """The pipeline that has the steps `sources`: `file` if it is named, else an earlier command's, else the one in this directory.

        Raises:
            UserError: TS-CLI-008 when none has them.
        """
        from tunesmith.planning.pipeline.spec import load_pipeline

        wanted = [name for name in sources if name != _MODEL]
        if file:
            return cls.of(session, load_pipeline(Path(file)), wanted, file)
        notes = _notes(session.config.home)
        known: dict[str, Any] = {path.stem: path for path in notes}
        if wanted and all(name in known for name in wanted):
            return cls.joined([cls.of(session, _noted(known[name]), [name], name) for name in wanted], wanted)
        if Path(DEFAULT_FILE).is_file():
            return cls.of(session, load_pipeline(Path(DEFAULT_FILE)), wanted, DEFAULT_FILE)
        for path in notes:
            spec = _noted(path)
            if all(name in spec.steps for name in wanted):
                return cls.of(session, spec, wanted, path.stem)
        missing = next((name for name in wanted if name not in known), " and ".join(wanted))
        raise UserError("TS-CLI-008", f"no earlier command here made `{missing}`", why=f"There is no {DEFAULT_FILE} here, either.",
                        fix=did_you_mean(missing, known) if known else "Give --model URI, or name a file with --pipeline.")  # fmt: skip

    @classmethod
    def of(cls, session: Session, spec: PipelineSpec, wanted: Sequence[str], where: str) -> Earlier:
        if spec.problems:
            raise Problems(spec.problems)
        for name in wanted:
            if name not in spec.steps:
                raise UserError("TS-CLI-008", f"{where} has no step `{name}`", fix=did_you_mean(name, spec.steps))
        needed: dict[str, None] = {}
        waiting = list(wanted)
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed[name] = None
                waiting += [text for text in _texts(spec.steps[name]) if text in spec.steps]
        steps = {name: _absolute(raw, spec, session) for name, raw in spec.steps.items() if name in needed}
        return cls(_model(spec), steps)

    @classmethod
    def joined(cls, parts: Sequence[Earlier], wanted: Sequence[str]) -> Earlier:
        """Several commands' steps as one pipeline.

        Raises:
            UserError: TS-CLI-008 when they are about different models, or mean different things by one name.
        """
        steps: dict[str, Mapping[str, Any]] = {}
        for part in parts:
            if part.model != parts[0].model or any(steps.get(name, raw) != raw for name, raw in part.steps.items()):
                raise UserError(
                    "TS-CLI-008", f"the commands that made {' and '.join(f'`{name}`' for name in wanted)} don't go into one pipeline",
                    why="They are about different models, or have different steps of one name.",
                    fix="Write a pipeline file: --pipeline FILE.",
                )  # fmt: skip
            steps |= part.steps
        return cls(parts[0].model, steps)

    def about(self, model: str, session: Session) -> Earlier:
        """The same steps, for a step on a model that is named beside them.

        Raises:
            UserError: TS-CLI-008 when they are about another one.
        """
        from tunesmith.planning.pipeline.spec import PipelineSpec

        uri = _model(PipelineSpec("", model, {}, Path.cwd()))
        if self.model not in ("", uri):
            raise UserError(
                "TS-CLI-008", f"{' and '.join(f'`{name}`' for name in self.steps)} began with {self.model}, and --model is {uri}",
                why="A pipeline has one model.", fix="Write a pipeline file, in which a step `download` brings the other.",
            )  # fmt: skip
        return replace(self, model=uri)

    def with_step(self, name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The pipeline with one more step."""
        return {"name": name, **({"model": self.model} if self.model else {}), "steps": {**self.steps, name: dict(raw)}}


def note(session: Session, name: str, data: Mapping[str, Any]) -> None:
    """Keep what a command did, so that a later one can take up what it made.

    Raises:
        TunesmithError: TS-STORE-004 when the home can't be written to.
    """
    from tunesmith.contracts.cache_files import write_note
    from tunesmith.isolation.error_conversion import disk_error
    from tunesmith.planning.pipeline.spec import PipelineSpec
    from tunesmith.running.home_permissions import make_home

    try:
        make_home(session.config.home, session.config.group)
    except OSError as error:
        raise disk_error(error) from None
    spec = PipelineSpec.from_mapping(data, Path.cwd(), name=name)
    kept = {"name": name, "model": _model(spec), "steps": {step: _absolute(raw, spec, session) for step, raw in spec.steps.items()}}
    write_note(_folder(session.config.home) / f"{name}.json", {key: value for key, value in kept.items() if value})


def _folder(home: Path) -> Path:
    return home / "commands"


def _notes(home: Path) -> list[Path]:
    """Those that can be read, the newest first."""
    from tunesmith.contracts.cache_files import read_note

    whole = [path for path in _folder(home).glob("*.json") if read_note(path) is not None]
    return sorted(whole, key=lambda path: (-path.stat().st_mtime, path.name))


def _noted(path: Path) -> PipelineSpec:
    from tunesmith.contracts.cache_files import read_note
    from tunesmith.planning.pipeline.spec import PipelineSpec

    return PipelineSpec.from_mapping(read_note(path), Path("/"), name=path.stem)


def _model(spec: PipelineSpec) -> str:
    from tunesmith.planning.inputs.model_source import model_uri

    return model_uri(spec) if spec.model else ""


def _absolute(raw: Mapping[str, Any], spec: PipelineSpec, session: Session) -> dict[str, Any]:
    """A step whose file names hold wherever it is read, with the seed and the device that its pipeline gives it."""
    found = dict(raw)
    inputs = {entry.name for verb in session.registry.providers("verb").values() for entry in verb.inputs}
    for key, value in raw.items():
        if key not in inputs:
            continue
        if isinstance(value, str):
            found[key] = _place(value, spec)
        elif isinstance(value, list):
            found[key] = [_place(path, spec) for path in value]
        elif isinstance(value, Mapping):
            found[key] = {_place(path, spec): weight for path, weight in value.items()}
    if spec.seed:
        found.setdefault("seed", spec.seed)
    if spec.device != "auto":
        found.setdefault("device", spec.device)
    return found


def _place(value: Any, spec: PipelineSpec) -> Any:
    """A file's name in full; what is none stays."""
    is_file = isinstance(value, str) and value not in spec.steps and (spec.base / value).is_file()
    return str((spec.base / value).absolute()) if is_file else value


def _texts(raw: Mapping[str, Any]) -> list[str]:
    """Everything in a step that may be the name of another."""
    found = []
    for value in raw.values():
        found += [value] if isinstance(value, str) else [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    return found
