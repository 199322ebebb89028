"""Compare models: the steps of a pipeline and the model that it began with, on examples that were held out."""

from __future__ import annotations

from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import translated
from tunesmith_wizard.flows.engines import serving
from tunesmith_wizard.flows.sources import MAKERS, without_servers
from tunesmith_wizard.flows.workshop import Workshop
from tunesmith_wizard.pipelines import Ending, finish, made_here, step_options, steps_of, text_of
from tunesmith_wizard.question import Option, Question, existing_file

_BASE = "model"  # how steps call the pipeline's model


def compare(shop: Workshop) -> int:
    interview = shop.interview
    here = {file: data for file, data in made_here(shop.folder) if steps_of(data, *MAKERS)}
    if not here:
        interview.say(_("There is no pipeline in this folder that made a model: tune one first, then compare it with what it was."), "warn")
        return 0
    file = interview.choose("pipeline", _("Models of which pipeline?"), {name: name for name in here}, next(iter(here)))
    data = without_servers(here[file], serving(shop))
    made = steps_of(data, *MAKERS)
    options = [Option(_BASE, _("the model that it began with"), str(data.get("model", ""))), *step_options(data, made)]
    chosen = interview.choose(
        "models", _("Which of them?"), options, ",".join(option.value for option in options), several=True,
        reason=_("only beside the model that it began with one sees what was gained"),
    )  # fmt: skip
    rows = interview.ask(Question("data", _("The file of examples to compare them on?"), check=existing_file, paths=True,
                                  help=_("Examples that none of them was trained on, in the form of the training data.")))  # fmt: skip
    evaluators = shop.session.registry.providers("evaluator")
    listed = [Option(record.name, record.name, translated(record.summary)) for record in evaluators.values()]
    usual = [name for name in ("perplexity", "generation") if name in evaluators] or [option.value for option in listed[:1]]
    measures = interview.choose(
        "measures", _("What shall be measured?"), listed, ",".join(usual[:1]), several=True,
        reason=_("it says how well each predicts the examples, whatever they are about"),
    )  # fmt: skip
    score = {"evaluate": measures.split(","), "from": chosen.split(","), "data": rows}
    return finish(interview, text_of({**data, "steps": {**data["steps"], "compare": score}}), Ending(), "compare.yaml")
