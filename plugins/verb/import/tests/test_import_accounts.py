"""Whatever stands in a configuration, each key has one verdict, and what is mapped stands in the pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith_import.api import Configuration, Entry, Options, TableImporter, pipeline_text
from tunesmith_import.importers.axolotl import Axolotl
from tunesmith_import.importers.llamafactory import LlamaFactory
from tunesmith_import.importers.ms_swift import Swift
from tunesmith_import.importers.torchtune import Torchtune
from tunesmith_import.importers.trl import TRL
from tunesmith_import.importers.unsloth import Unsloth
from tunesmith_import.mapping.table import MAPPED, NO_EFFECT, REFUSED, UNKNOWN
from tunesmith_import.output.pipeline_text import pipeline_of

IMPORTERS: dict[str, TableImporter] = {
    "llamafactory": LlamaFactory(), "trl": TRL(), "ms-swift": Swift(), "axolotl": Axolotl(), "torchtune": Torchtune(), "unsloth": Unsloth(),
}  # fmt: skip
ALWAYS = {"torchtune": {"model._component_": "torchtune.models.llama3_2.llama3_2_1b"}}
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 4000), st.floats(0, 2), st.sampled_from(["steps", "cosine", "none", "adamw_torch", "1e-4"])
)


@pytest.mark.parametrize("tool", IMPORTERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_mapped_refused_without_effect_and_unknown_are_all(tool: str, data: st.DataObject):
    importer = IMPORTERS[tool]
    keys = data.draw(
        st.dictionaries(
            st.one_of(st.sampled_from(sorted(importer.keys())), st.from_regex(r"zz_[a-z]{1,6}", fullmatch=True)), VALUES, max_size=9
        )
    )
    keys |= ALWAYS.get(tool, {})
    entries = tuple(Entry(key, value, line, "a.yaml") for line, (key, value) in enumerate(keys.items(), 1))
    try:
        draft, account = importer.translate(Configuration(Path("a.yaml"), entries), Options(model="file://tiny", data="rows.jsonl"))
    except UserError as error:  # a value that the tool would not take either, or no training
        assume(error.code not in ("TS-IMPORT-005", "TS-IMPORT-007"))
        raise
    told = [verdict.entry.key for kind in (MAPPED, REFUSED, NO_EFFECT, UNKNOWN) for verdict in account.of(kind)]
    assert sorted(told) == sorted(keys)
    assert {verdict.entry.key for verdict in account.of(UNKNOWN)} == {key for key in keys if key.startswith("zz_")}
    assert all(verdict.to for verdict in account.of(MAPPED))
    assert all(verdict.because for kind in (REFUSED, NO_EFFECT) for verdict in account.of(kind))
    text = pipeline_text(draft, account)
    assert yaml.safe_load(text)["steps"].keys() == pipeline_of(draft)["steps"].keys()
