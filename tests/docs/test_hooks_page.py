"""Every hook is documented as it is, its example works, and something tests it."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tunesmith import contracts, hookspecs
from tunesmith.contracts import Artifact, MetricPoint, RunFacts, StepFacts, TunesmithError
from tunesmith.contracts.provider import API
from tunesmith_sdk.manifest.records import checked_kind, record_of

ROOT = Path(__file__).parents[2]


def _tool() -> Any:
    spec = importlib.util.spec_from_file_location("tunesmith_hooks_page", ROOT / "tools" / "hooks_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()
HOOKS = tuple(TOOL.hooks())


@dataclass(frozen=True)
class TiltSettings:
    """Stands for the settings that an example's plugin would have."""

    angle: float = contracts.setting(0.5, "how far")


RUN = RunFacts("1", "support-bot", Path())
STEP = StepFacts(RUN, "tune", "train")
ROW = SimpleNamespace(state="failed", error={"what": "it fell over"})
FAILED = SimpleNamespace(row=ROW, steps={"tune": SimpleNamespace(row=ROW)})
#: what the kernel calls event hooks with
FACTS = {
    "run_started": {"run": RUN},
    "step_starting": {"step": STEP},
    "metrics_reported": {"step": STEP, "points": (MetricPoint("loss", 2.5, 1),)},
    "step_finished": {"step": STEP},
    "step_failed": {"step": STEP, "error": TunesmithError("ACME-BUSY", "busy")},
    "artifact_committed": {"step": STEP, "artifact": Artifact("model/hf", Path())},
    "run_finished": {"run": RUN, "view": FAILED},
}


def test_the_page_is_what_the_hooks_say():
    assert TOOL.PAGE.read_text(encoding="utf-8") == TOOL.page(), "run tools/hooks_page.py"


def test_no_hook_is_left_out():
    specified = {name for name, thing in vars(hookspecs).items() if hasattr(thing, "tunesmith_spec")}
    assert set(HOOKS) == specified
    assert set(hookspecs.REGISTRATION) == set(API)


@pytest.mark.parametrize("name", TOOL.brought())
def test_the_example_of_a_kind_that_a_plugin_brings_works(name: str):
    kind, plugin = TOOL.brought()[name]
    made = eval(kind.example, {"Provider": contracts.Provider})
    assert record_of(name, made, "acme", "1.0", brought=kind, bringer=plugin.distribution).api == kind.api


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_says_since_when_it_is_there(name: str):
    assert re.fullmatch(r"\d+\.\d+", TOOL.since(name))


@pytest.mark.parametrize("name", HOOKS)
def test_a_hooks_example_works(name: str):
    told: list[Any] = []
    teller = SimpleNamespace(**dict.fromkeys(("record", "add", "call"), lambda *said: told.append(said)))
    here = {name: getattr(contracts, name) for name in contracts.__all__}
    here |= {
        "hookimpl": hookspecs.hookimpl,
        "TiltSettings": TiltSettings,
        "DownhillSettings": TiltSettings,
        "ShedSettings": TiltSettings,
        "approved": lambda name: True,
        "tracker": teller,
        "catalog": teller,
        "pager": teller,
    }
    exec(compile(TOOL.example(name), f"<example of {name}>", "exec"), here)
    manager = hookspecs.plugin_manager(acme=SimpleNamespace(**{name: here[name]}))
    manager.check_pending()
    answer = getattr(manager.hook, name)(**FACTS.get(name, {}))
    if name in API:
        assert record_of(name, answer[0], "acme", "1.0").kind == name
    elif name == "kind":
        assert checked_kind(answer[0]).name == "greeter"
    elif name == "step_failed":
        assert answer.delay == 10
    elif name in ("metrics_reported", "step_finished", "artifact_committed", "run_finished"):
        assert len(told) == 1
    elif name in TOOL.COMMANDS:
        assert [len(entry) for entry in answer[0]] == [3]


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_a_plugin_or_a_test_that_implements_it(name: str):
    if name == "ui_pages":
        pytest.skip("nothing calls it before there is a UI")
    implementing = re.compile(rf"@hookimpl\s+def {name}\(")
    tests = [*ROOT.glob("core/tests/**/*.py"), *ROOT.glob("plugins/*/*/src/*/plugin.py"), *ROOT.glob("contrib/**/plugin.py")]
    tests += ROOT.glob("sdk/src/tunesmith_sdk/template/kinds/*/plugin.py.jinja")
    assert any(implementing.search(path.read_text(encoding="utf-8")) for path in tests)
