"""Kinds that plugins bring: who may bring providers of them, and what is said where nobody can call those."""

from __future__ import annotations

import pytest

from tunesmith.contracts.provider import Kind
from tunesmith.errors import UserError
from tunesmith.plugins.kinds import speaking
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import Registry
from tunesmith_sdk.distributions.written_plugins import record

POET = Kind("poet", "writes verses", "acme.poet:Poet", api=3)


def bringer(distribution: str = "acme", kind: Kind = POET, **more) -> Plugin:
    return Plugin(distribution, "1.0", f"{distribution}.plugin", kinds=(kind,), **more)


def provider(kind: str = "poet", api: int = 3, distribution: str = "verses", **more) -> Plugin:
    return Plugin(distribution, "2.0", f"{distribution}.plugin", (record(distribution, kind=kind, name="sonnet", api=api, **more),))


def registry(*plugins: Plugin, overrides: dict[str, str] | None = None, apis: dict[str, int] | None = None) -> Registry:
    apis = apis or {"adapter": 3, "verb": 1}
    return Registry(speaking(plugins, overrides or {}, apis), overrides, apis)


def told(found: Registry, distribution: str = "verses") -> tuple[str, str, str]:
    plugin = found.distribution(distribution)
    return plugin.state, plugin.reason, plugin.fix


@pytest.mark.parametrize(("kind", "caller"), [("adapter", "tunesmith-core"), ("poet", "acme")])
def test_the_current_contract_and_the_one_before_are_taken_the_older_with_a_warning(kind: str, caller: str):
    for api, state, warnings in ((3, "active", 0), (2, "active", 1), (1, "incompatible", 0), (4, "incompatible", 0)):
        found = registry(bringer(), provider(kind, api))
        assert (told(found)[0], len(found.warnings)) == (state, warnings)
        assert bool(found.providers(kind)) is (state == "active")
    assert f"it speaks version 4 of the {kind} contract" in told(found)[1]
    assert told(found)[2] == f"pip install --upgrade {caller}"
    assert told(registry(bringer(), provider(kind, 1)))[2] == "pip install --upgrade verses"


def test_the_warning_names_who_stops_taking_the_version_before_and_when():
    found = registry(bringer(kind=Kind("poet", "writes verses", "acme.poet:Poet", api=3, until="1.4")), provider(api=2))
    assert found.warnings == ("verses speaks version 2 of the poet contract; acme 1.4 stops taking it. Update verses.",)


def test_a_provider_of_a_kind_that_is_not_there_is_listed_with_what_brings_it():
    assert told(registry(provider(kind_from="acme"))) == (
        "incompatible", "it brings the poet `sonnet`, and acme, which brings that kind, is not installed", "pip install acme",
    )  # fmt: skip
    state, reason, fix = told(registry(provider()))
    assert (state, reason) == ("incompatible", "it brings the poet `sonnet`, and nothing that is installed brings that kind")
    assert "the page of verses should name it" in fix
    error = refused(registry(provider(kind_from="acme")))
    assert (error.code, error.fix) == ("TS-PLUGIN-002", "pip install acme")


@pytest.mark.parametrize("state", ["denied", "broken", "incompatible"])
def test_a_kind_whose_plugin_may_not_be_used_takes_its_providers_along(state: str):
    found = registry(bringer(state=state, reason="because", fix="Do this."), provider(kind_from="Acme"))
    expected = f"it brings the poet `sonnet`, and acme, which brings that kind, is {state}: because"
    assert told(found) == ("incompatible", expected, "Do this.")
    assert found.kinds == {}


def test_a_plugin_that_has_lost_its_kind_takes_along_what_is_built_on_its_own():
    reader = Plugin(
        "reader", "1", "reader.plugin", (record("reader", kind="poet", name="aloud"),), (Kind("hearer", "hears", "reader.a:B"),)
    )
    found = registry(reader, provider("hearer", 1, kind_from="reader"))
    assert [told(found, name)[0] for name in ("reader", "verses")] == ["incompatible", "incompatible"]
    assert "reader, which brings that kind, is incompatible" in told(found)[1]


def test_a_kind_brought_twice_is_nobodys_until_the_user_decides():
    plugins = (bringer(), bringer("fork"), provider())
    found = registry(*plugins)
    assert [told(found, name)[0] for name in ("acme", "fork", "verses")] == ["duplicate", "duplicate", "incompatible"]
    assert "kind.poet is brought by fork, too" in told(found, "acme")[1]
    assert '"kind.poet" = "acme"' in told(found, "acme")[2]
    assert told(found)[1] == "it brings the poet `sonnet`, and that kind is brought by acme and fork"
    assert '"kind.poet" = "acme" or "kind.poet" = "fork"' in told(found)[2]
    decided = registry(*plugins, overrides={"kind.poet": "Fork"})
    assert [told(decided, name)[0] for name in ("acme", "fork", "verses")] == ["overridden", "active", "active"]
    assert decided.bringer("poet").distribution == "fork"
    assert decided.policy_warnings() == []


def test_a_kind_of_the_kernels_is_not_brought_by_others():
    found = registry(bringer(kind=Kind("adapter", "theirs", "acme.poet:Poet")), provider("adapter"))
    assert told(found, "acme")[:2] == ("incompatible", "it brings the kind `adapter`, which is the kernel's own")
    assert told(found)[0] == "active"


def test_an_override_of_a_kind_that_is_not_there_is_told():
    (warning,) = registry(provider("adapter"), overrides={"adaptr.sonnet": "verses"}).policy_warnings()
    assert warning.endswith("there is no kind `adaptr`. Did you mean `adapter`?")


def refused(found: Registry) -> UserError:
    with pytest.raises(UserError) as error:
        found.provider("poet", "sonnet")
    return error.value
