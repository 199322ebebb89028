"""Recommendations for the commands of others: all of `tunesmith_recommend` that other distributions may import. A name is imported at its
first use.

Example::

    from pathlib import Path

    from tunesmith_recommend.api import Wishes, pipeline_file, recommended

    found, wanted = recommended(Path("train.jsonl"), Wishes(goal="speed", budget=3600))
    print(pipeline_file(found, wanted))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_recommend.catalog.base_model import BaseModel
    from tunesmith_recommend.catalog.installed_models import installed_models
    from tunesmith_recommend.choice.declared import Declared, declared
    from tunesmith_recommend.choice.recommendation import GOALS, Prediction, Reasoned, Recommendation, Wanted
    from tunesmith_recommend.commands.options import add_wishes, seconds_of, wishes_of
    from tunesmith_recommend.commands.pipeline_place import check_place, named_from
    from tunesmith_recommend.commands.probe import probe_text
    from tunesmith_recommend.commands.stages import stages
    from tunesmith_recommend.commands.text import page, pipeline_file, written
    from tunesmith_recommend.diagnosis.diagnosis import findings
    from tunesmith_recommend.diagnosis.finding import Finding
    from tunesmith_recommend.machine.probe import probe
    from tunesmith_recommend.recommended import Wishes, facts_of, recommended

#: Of everything here: raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

_MODULES = {
    "tunesmith_recommend.catalog.base_model": "BaseModel",
    "tunesmith_recommend.catalog.installed_models": "installed_models",
    "tunesmith_recommend.choice.declared": "Declared, declared",
    "tunesmith_recommend.choice.recommendation": "GOALS, Prediction, Reasoned, Recommendation, Wanted",
    "tunesmith_recommend.commands.options": "add_wishes, seconds_of, wishes_of",
    "tunesmith_recommend.commands.pipeline_place": "check_place, named_from",
    "tunesmith_recommend.commands.probe": "probe_text",
    "tunesmith_recommend.commands.stages": "stages",
    "tunesmith_recommend.commands.text": "page, pipeline_file, written",
    "tunesmith_recommend.diagnosis.diagnosis": "findings",
    "tunesmith_recommend.diagnosis.finding": "Finding",
    "tunesmith_recommend.machine.probe": "probe",
    "tunesmith_recommend.recommended": "Wishes, facts_of, recommended",
}
__getattr__ = exports(__name__, {name: module for module, names in _MODULES.items() for name in names.split(", ")})

__all__ = [
    "API",
    "GOALS",
    "BaseModel",
    "Declared",
    "Finding",
    "Prediction",
    "Reasoned",
    "Recommendation",
    "Wanted",
    "Wishes",
    "add_wishes",
    "check_place",
    "declared",
    "facts_of",
    "findings",
    "installed_models",
    "named_from",
    "page",
    "pipeline_file",
    "probe",
    "probe_text",
    "recommended",
    "seconds_of",
    "stages",
    "wishes_of",
    "written",
]  # fmt: skip
