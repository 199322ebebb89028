from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts.provider import API
from tunesmith.deprecations import PREVIOUS_API
from tunesmith.errors import UserError
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import Registry, _plugin
from tunesmith_sdk.distributions.written_plugins import record


def plugin(distribution: str, *names: str, kind: str = "adapter", **fields) -> Plugin:
    records = tuple(record(distribution, kind=kind, name=name) for name in names)
    return Plugin(distribution, "1.0", f"{distribution}.plugin", records, **fields)


def states(registry: Registry) -> dict[str, str]:
    return {plugin.distribution: plugin.state for plugin in registry.plugins}


def refused(registry: Registry, name: str, code: str, kind: str = "adapter") -> UserError:
    with pytest.raises(UserError, match=code) as error:
        registry.provider(kind, name)
    return error.value


def test_a_provider_is_found_by_kind_and_name_and_leads_to_its_plugin():
    registry = Registry([plugin("acme", "tilt", "bend"), plugin("other", "tilt", kind="quantizer")])
    found = registry.provider("adapter", "tilt")
    assert (found.distribution, registry.plugin(found).distribution) == ("acme", "acme")
    assert list(registry.providers("adapter")) == ["bend", "tilt"]
    assert registry.providers("exporter") == {}
    assert registry.distribution("ACME").distribution == "acme"


def test_providers_come_by_priority_then_name():
    first = plugin("acme", "b", "a")
    last = replace(first, providers=(replace(first.providers[0], priority=5), first.providers[1], record("acme", kind="adapter", name="c")))
    assert list(Registry([last]).providers("adapter")) == ["b", "a", "c"]


def test_an_unknown_name_is_met_with_the_nearest_known():
    assert "Did you mean `tilt`?" in refused(Registry([plugin("acme", "tilt")]), "tilt2", "TS-PLUGIN-001").fix
    with pytest.raises(UserError, match="TS-PLUGIN-001") as error:
        Registry([plugin("acme", "tilt")]).distribution("acne")
    assert "`acme`" in error.value.fix


def test_an_unknown_name_tells_of_plugins_whose_names_cannot_be_known():
    error = refused(Registry([plugin("acme", state="broken", reason="r")]), "tilt", "TS-PLUGIN-001")
    assert "acme (broken)" in error.fix


@pytest.mark.parametrize("state", ["incompatible", "denied", "broken"])
def test_a_name_of_a_plugin_that_may_not_be_used_says_so(state: str):
    registry = Registry([plugin("acme", "tilt", state=state, reason="because")])
    assert registry.providers("adapter") == {}
    error = refused(registry, "tilt", "TS-PLUGIN-002")
    assert f"acme is {state}" in error.what
    assert error.why == "because"


def test_a_name_brought_twice_is_nobodys_until_the_user_decides_and_other_names_go_on():
    plugins = [plugin("acme", "tilt", "bend"), plugin("fork", "tilt")]
    registry = Registry(plugins)
    assert states(registry) == {"acme": "duplicate", "fork": "duplicate"}
    assert list(registry.providers("adapter")) == ["bend"]
    error = refused(registry, "tilt", "TS-PLUGIN-003")
    assert "acme 1.0 and fork 1.0" in error.what
    assert '"adapter.tilt" = "acme" or "adapter.tilt" = "fork"' in error.fix
    decided = Registry(plugins, {"adapter.tilt": "Fork"})
    assert states(decided) == {"acme": "overridden", "fork": "active"}
    assert decided.provider("adapter", "tilt").distribution == "fork"
    assert decided.provider("adapter", "bend").distribution == "acme"
    assert decided.policy_warnings() == []


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([], "fork is not installed"),
        ([plugin("fork", "x")], "brings no adapter `tilt`"),
        ([plugin("fork", state="denied", reason="r")], "fork is denied"),
    ],
)
def test_an_override_that_cannot_be_followed_is_never_passed_over(others: list[Plugin], said: str):
    registry = Registry([plugin("acme", "tilt"), *others], {"adapter.tilt": "fork"})
    assert "tilt" not in registry.providers("adapter")
    assert said in refused(registry, "tilt", "TS-PLUGIN-002").why
    assert said in registry.policy_warnings()[0]


def test_a_plugin_without_its_runtime_can_be_chosen_all_the_same():
    registry = Registry([plugin("acme", "tilt", runtime=("heavy",), missing={"": ("heavy>=2",)}, fingerprint="f")])
    assert states(registry) == {"acme": "active"}
    assert registry.provider("adapter", "tilt")


def entry() -> dict:
    data = {"manifest": 1, "distribution": "acme", "version": "1", "module": "acme.plugin"}
    about = {"distribution": "acme", "version": "1", "module": "acme.plugin", "manifest": "/x", "refused": ""}
    return about | {"data": data, "kernel": "", "missing": {}, "absent": [], "fingerprint": "f"}


def test_a_plugin_that_requires_another_kernel_is_incompatible():
    unfit = _plugin(entry() | {"kernel": "tunesmith-core>=9"})
    assert (unfit.state, unfit.fix) == ("incompatible", "pip install 'tunesmith-core>=9'")
    assert "it requires tunesmith-core>=9; this is tunesmith-core 0" in unfit.reason


def test_a_denied_or_broken_entry_is_a_plugin_with_a_reason():
    assert _plugin(entry() | {"refused": "no"}).state == "denied"
    broken = {key: value for key, value in entry().items() if key != "data"} | {"problem": "no manifest", "fix": "sync", "manifest": ""}
    assert (_plugin(broken).state, _plugin(broken).reason, _plugin(broken).path) == ("broken", "no manifest", None)


def test_every_contract_that_has_changed_says_when_its_old_version_goes():
    assert {kind for kind, api in API.items() if api > 1} == set(PREVIOUS_API)


names = st.sampled_from(["tilt", "bend", "fold"])
brought = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.lists(names, unique=True)), unique_by=lambda entry: entry[0])


@given(brought, st.dictionaries(names.map("adapter.{}".format), st.sampled_from(["a", "b", "c", "d"])))
def test_a_name_has_one_answer_or_a_coded_error(plugins: list, overrides: dict):
    registry = Registry([plugin(distribution, *names) for distribution, names in plugins], overrides)
    for name in ("tilt", "bend", "fold"):
        bringing = [distribution for distribution, names in plugins if name in names]
        winner = overrides.get(f"adapter.{name}")
        expected = [d for d in bringing if d == winner] if winner else bringing if len(bringing) == 1 else []
        assert ([registry.providers("adapter")[name].distribution] if name in registry.providers("adapter") else []) == expected
        if not expected:
            refused(registry, name, "TS-PLUGIN-00[123]")


def test_the_names_that_contracts_offers_are_those_that_it_has():
    import ast

    import tunesmith.contracts as contracts

    stub = ast.parse(Path(contracts.__file__).with_suffix(".pyi").read_text())  # what type checkers and editors read
    told = {alias.name: node.module for node in ast.walk(stub) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert told == contracts._HOMES
    (named,) = (ast.literal_eval(node.value) for node in stub.body if isinstance(node, ast.Assign))
    assert named == contracts.__all__ == sorted(told)
    assert all(getattr(contracts, name) is not None for name in contracts.__all__)
