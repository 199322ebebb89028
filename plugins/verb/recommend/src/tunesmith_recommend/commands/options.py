"""What `recommend` and `init` share: their options, and the recommendation for them."""

from __future__ import annotations

import contextlib
import io
import json
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import TunesmithError, UserError
from tunesmith_cli.api import Session, add_cards, add_columns, columns_given, main, named_cards
from tunesmith_recommend.choice.recommendation import GOALS, Recommendation, Wanted

if TYPE_CHECKING:
    from tunesmith.contracts import Device, ModelInfo
    from tunesmith.planning.plan import Plan
    from tunesmith.running.model_resolver import ModelResolver

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def add_wishes(parser: ArgumentParser) -> None:
    """The options that say what is wanted."""
    parser.add_argument(
        "--goal", choices=GOALS, default="quality",
        help="quality: the best answers that fit (default); speed: quick ones; memory: the least of the device; edge: a phone or a board",
    )  # fmt: skip
    parser.add_argument("--task", default="", metavar="TASK", help="what the rows teach, in place of what `tunesmith data facts` says")
    parser.add_argument("--budget", default="", metavar="TIME", help="that training may take: 90m, 4h, 2d (default: 8h)")
    parser.add_argument("--models", type=Path, metavar="FILE", help="a catalogue of your own models (docs/recommend.md)")
    parser.add_argument("--any-model", action="store_true", help="don't ask whether the model can be fetched from here")
    add_columns(parser)
    add_cards(parser)


def seconds_of(text: str) -> float:
    """Seconds that ``90m``, ``4h`` or ``2 d`` mean; 0 for nothing.

    Raises:
        UserError: TS-CLI-002 when it is no time.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|m|min|h|d)", text.strip())
    if text and (not found or not float(found[1])):
        raise UserError("TS-CLI-002", f"--budget {text} is no time", fix="Write for example --budget 4h, 90m or 2d.")
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def recommendation(args: Namespace, file: Path) -> tuple[Recommendation, Wanted]:
    """For the rows of a file.

    Raises:
        UserError: TS-RECOMMEND-001 when nothing fits, -002 for a file of models that is none, -003 for rows that can't be trained on.
    """
    from tunesmith.planning.placement.devices import probe
    from tunesmith_recommend.catalog.installed_models import installed_models
    from tunesmith_recommend.choice.choose import recommend
    from tunesmith_recommend.machine.measurement import measured

    base, columns = Path.cwd(), columns_given(args)
    wanted = Wanted(str(file), _facts(file, columns), args.goal, args.task, seconds_of(args.budget), columns or {})
    session = Session.open(base)
    named = named_cards(args, session.registry)
    if named:
        devices: Mapping[str, Sequence[Device]] = dict([named])
    else:
        devices = measured(session.registry, probe(session.registry), session.config.cache).devices
    models, wrong = installed_models(session.registry, args.models)
    with session.resolver() as resolve:
        plans = _planned(session, base, devices, resolve, here=not named)
        reach = None if named or args.any_model else resolve
        found = recommend(session.registry, wanted, models, devices, plans, asked=named[0] if named else "auto", reach=reach)
    remarks = (*found.remarks, *wrong)
    if named or args.any_model:
        remarks = (*remarks, "whether the model can be fetched was not asked")
    return Recommendation(**{**vars(found), "remarks": remarks}), wanted


def _planned(session: Session, base: Path, devices: Mapping[str, Sequence[Device]], resolve: ModelResolver, *, here: bool) -> Any:
    """Plans pipelines that are not in a file, with a model that nobody has to fetch for that; on this machine the disk has to have room."""
    from tunesmith import Pipeline
    from tunesmith.running.store.disk_space import check_room

    def planned(pipeline: Mapping[str, Any], info: ModelInfo) -> Plan:
        spec = Pipeline(**pipeline, base=base).spec
        plan = session.planned(spec, _Described(info, resolve), devices=devices)  # type: ignore[arg-type]
        if here:
            check_room(plan, session.config.home)
        return plan

    return planned


class _Described:
    """Stands where the planner asks what the model's name means: one is known already."""

    def __init__(self, info: ModelInfo, resolve: ModelResolver) -> None:
        self.info, self.resolve = info, resolve
        self.reporter, self.refresh = resolve.reporter, resolve.refresh

    def __call__(self, uri: str) -> ModelInfo:
        return self.info if uri == self.info.uri else self.resolve(uri)


def _facts(file: Path, columns: Mapping[str, str] | None) -> dict[str, Any]:
    """What `tunesmith data facts` says of a file: its JSON is what programs are told."""
    words = ["data", "facts", str(file), "--json"]
    for name, column in (columns or {}).items():
        words += ["--columns", f"{name}={column}"]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = main(words)
    try:
        found = json.loads(said.getvalue())
    except ValueError:
        raise UserError("TS-RECOMMEND-003", f"{file} can't be looked into", fix=f"`tunesmith data facts {file}` says why.") from None
    if "error" in found:
        raise TunesmithError.from_json(found["error"])
    if status or found["problem"] or not found["rows"]:
        told = found["problem"] or {}
        why = told.get("what") or f"{found['broken']} rows are broken."
        fix = told.get("fix") or f"`tunesmith data inspect {file}` lists them with their lines."
        raise UserError("TS-RECOMMEND-003", f"{file} can't be trained on as it is", why=why, fix=fix)
    return dict(found)
