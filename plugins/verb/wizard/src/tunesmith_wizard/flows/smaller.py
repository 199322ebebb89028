"""Make a model smaller: which one, how."""

from __future__ import annotations

from typing import Any

from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import translated
from tunesmith_recommend.api import declared
from tunesmith_wizard.flows.sources import ask_source
from tunesmith_wizard.flows.workshop import Workshop
from tunesmith_wizard.forms import form
from tunesmith_wizard.pipelines import Ending, finish, text_of
from tunesmith_wizard.question import Option, Question, existing_file

_KINDS = ("quantizer", "exporter")


def smaller(shop: Workshop) -> int:
    interview, registry = shop.interview, shop.session.registry
    pipeline, source = ask_source(shop, _("Which model shall become smaller?"), "smaller")
    verbs = {verb.main_kind: verb.name for verb in registry.providers("verb").values() if verb.main_kind in _KINDS}
    records = [record for kind in verbs for record in registry.providers(kind).values()]
    suiting = [one for one in declared(records, "memory", "", 0) if one.said]
    rest = [record for record in records if record not in [one.record for one in suiting]]
    options = [Option(one.name, one.name, f"{translated(one.record.summary)}; {translated(one.rule.text)}") for one in suiting]
    options += [Option(record.name, record.name, translated(record.summary)) for record in rest]
    best = suiting[0] if suiting else None
    name = interview.choose(
        "method", _("By which method?"), options, best.name if best else options[0].value,
        reason=f"{translated(best.rule.text)} ({best.rule.source})" if best else "",
    )  # fmt: skip
    record = next(record for record in records if record.name == name)
    start = next((dict(one.settings) for one in suiting if one.name == name), {})
    settings = form(interview, "settings", _("A setting of {name} to change?", name=name), record.schema, start)
    step: dict[str, Any] = {verbs[record.kind]: {name: settings} if settings else name, **({"from": source} if source else {})}
    if record.facts.get("calibration"):
        step["data"] = interview.ask(Question("data", _("A file of examples to measure its layers on?"), check=existing_file, paths=True))
    steps = {**pipeline["steps"], "small": step}
    return finish(interview, text_of({**pipeline, "steps": steps}), Ending(talk="small"), "smaller.yaml")
