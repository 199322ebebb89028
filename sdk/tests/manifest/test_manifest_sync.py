from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tunesmith.errors import Problems, UserError
from tunesmith.plugins.manifest import read_manifest
from tunesmith_sdk.manifest.source import find_sources
from tunesmith_sdk.manifest.sync import manifest_text, sync

HEAD = """
from dataclasses import dataclass
from tunesmith.contracts import Input, Kind, Need, Provider, Slot, Verb, setting
from tunesmith.hookspecs import hookimpl

@dataclass(frozen=True)
class Tilt:
    angle: float = setting(0.5, "how far", ge=0)
    seed: int | None = setting(None, "fixed start")
"""
GOOD = (
    HEAD
    + """
@hookimpl
def adapter():
    return Provider("tilt", "tilts", "acme_tilt.adapter:Tilt", settings=Tilt, accepts=("model/hf",), capabilities={"merge": "full"},
                    needs=(Need("producer", "x", "it must", {"seed": None}),), facts={"sizes": (1, 2)})

@hookimpl
def verb():
    return [Verb("stamp", "stamps", "acme_tilt.verb:run", kind="adapter", slots=(Slot("a", "b", "c"),), inputs=(Input("model", "it"),))]

@hookimpl
def step_finished(step): ...

@hookimpl
def cli_commands():
    return [("tilt", "look at it", "acme_tilt.cli:main")]
"""
)
PROJECT = """
[project]
name = "acme-tilt"
version = "1.2"
[project.optional-dependencies]
runtime = ["heavy>=2"]
[project.entry-points."tunesmith.plugins"]
tilt = "acme_tilt.plugin"
"""


@pytest.fixture
def checkout(tmp_path: Path):
    def write(code: str, project: str = PROJECT) -> Path:
        package = tmp_path / "tilt" / "src" / "acme_tilt"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        (package / "plugin.py").write_text(code)
        for name, text in {
            "adapter": "class Tilt: ...",
            "verb": "def run(step): ...",
            "cli": "from acme_tilt.verb import run as main",
        }.items():
            (package / f"{name}.py").write_text(text)
        (tmp_path / "tilt" / "pyproject.toml").write_text(project)
        return tmp_path / "tilt"

    return write


def test_a_plugin_that_is_not_installed_is_synced_from_its_checkout(checkout):
    (done,) = sync(checkout(GOOD))
    plugin = read_manifest(done.path)
    assert (plugin.distribution, plugin.version, plugin.module, plugin.runtime) == ("acme-tilt", "1.2", "acme_tilt.plugin", ("heavy>=2",))
    assert plugin.events == ("step_finished",)
    assert plugin.commands == (("tilt", "look at it", "acme_tilt.cli:main"),)
    adapter, verb = plugin.providers
    assert (adapter.kind, adapter.name, adapter.settings) == ("adapter", "tilt", "acme_tilt.plugin:Tilt")
    assert adapter.schema["properties"]["seed"]["default"] is None
    assert adapter.needs[0].when == {"seed": None}
    assert adapter.facts == {"sizes": [1, 2]}
    assert (verb.kind, verb.main_kind, verb.slots[0].kind, verb.inputs[0].name) == ("verb", "adapter", "b", "model")
    assert "acme_tilt" not in sys.modules


def test_syncing_again_changes_nothing_and_drift_is_shown_without_writing(checkout):
    folder = checkout(GOOD)
    (first,) = sync(folder)
    assert first.diff
    assert sync(folder)[0].diff == ""
    written = first.path.read_bytes()
    checkout(GOOD.replace("tilts", "bends"))
    (drifted,) = sync(folder, check=True)
    assert '-summary = "tilts"' in drifted.diff
    assert '+summary = "bends"' in drifted.diff
    assert first.path.read_bytes() == written


def hook(body: str) -> str:
    return HEAD + "\n@hookimpl\n" + body


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import a_library_that_is_not_here", "can't be imported: ModuleNotFoundError"),
        ("def f(:", "can't be imported: SyntaxError"),
        ("def adapter(): ...", "implements no hook"),
        (hook("def adaptr(): ..."), "there is no hook `adaptr`"),
        (hook("def step_finished(step, weather): ..."), "'weather'"),
        (hook("def adapter(): 1 / 0"), "its hook `adapter` raised ZeroDivisionError"),
        (hook("def adapter(): return 'tilt'"), "returned 'tilt'"),
        (hook("def adapter(): return Verb('x', 'y', 'z:a')"), "returned Verb"),
        (hook("def adapter(): return Provider('a b', 'y', 'z:a')"), "has no usable name"),
        (hook("def adapter(): return Provider('a', '', 'z:a')"), "has no summary"),
        (
            hook("def kind(): return Kind('a', 'y', 'z:A', listens='steps')"),
            "listens under the key",
        ),
        (hook("def adapter(): return Provider('a', 'y', 'z.a')"), "has the target 'z.a'"),
        (hook("def adapter(): return Provider('a', 'y', 'z:a', accepts='model/hf')"), "has accepts='model/hf'"),
        (hook("def adapter(): return Provider('a', 'y', 'z:a', capabilities={'merge': 'ful'})"), "grades the capability merge as 'ful'"),
        (hook("def adapter(): return Provider('a', 'y', 'z:a', limits={'merge': 'no'})"), "has the limit of `merge`"),
        (hook("def adapter(): return Provider('a', 'y', 'z:a', settings=dict)"), "has the settings <class 'dict'>"),
        (hook("def adapter(): return Provider('a', 'y', 'z:a', facts={'x': {1}})"), "has facts.x = {1}"),
        (hook("def adapter(): return [Provider('a', 'y', 'z:a')] * 2"), "brings the adapter `a` twice"),
    ],
)
def test_an_authors_mistake_is_a_coded_error_and_writes_nothing(code: str, said: str, checkout):
    folder = checkout(code)
    with pytest.raises(UserError, match="TS-PLUGIN-006") as error:
        sync(folder)
    assert said in error.value.what
    assert error.value.fix
    assert not list(folder.rglob("plugin.toml"))


def test_everything_that_one_pass_finds_is_told(checkout):
    wrong = """
@hookimpl
def adapter():
    odd = Provider("a b", "", "z.a", capabilities={"merge": "ful"})
    return [odd, Provider("c", "c", "z:c", accepts="model/hf"), Provider("d", "d", "z:d")]

@hookimpl
def quantizer():
    1 / 0

@hookimpl
def verb():
    return Verb("stamp", "stamps", "z:v", facts={"x": {1}})
"""
    with pytest.raises(Problems) as error:
        sync(checkout(HEAD + wrong))
    said = [problem.what.partition(": ")[2] for problem in error.value.problems]
    assert len(said) == 7
    for part in ("no usable name", "no summary", "the target 'z.a'", "as 'ful'", "accepts='model/hf'", "ZeroDivisionError", "facts.x"):
        assert sum(part in one for one in said) == 1, part
    assert {problem.code for problem in error.value.problems} == {"TS-PLUGIN-006"}


@pytest.mark.parametrize(
    ("old", "new", "said", "offered"),
    [
        ("acme_tilt.adapter:Tilt", "acme_tilt.adapter:Tlit", "adapter.py defines no Tlit", "`acme_tilt.adapter:Tilt`"),
        ("acme_tilt.adapter:Tilt", "acme_tilt.adaptr:Tilt", "there is no ", "`acme_tilt.adapter:Tilt`"),
        ("acme_tilt.verb:run", "acme_tilt.verb:start", "the verb `stamp` names acme_tilt.verb:start", "or add what it names"),
        ("acme_tilt.cli:main", "acme_tilt.cli:mian", "the command `tilt` names acme_tilt.cli:mian", "`acme_tilt.cli:main`"),
    ],
)
def test_a_record_that_names_what_is_not_there_is_told_and_writes_nothing(old, new, said, offered, checkout):
    folder = checkout(GOOD.replace(old, new))
    for check in (True, False):
        with pytest.raises(UserError, match="TS-PLUGIN-008") as error:
            sync(folder, check=check)
        assert said in error.value.what
        assert offered in error.value.fix
    assert not list(folder.rglob("plugin.toml"))


@pytest.mark.parametrize(
    ("named", "said", "fix"),
    [
        ("acme_tilt.plugn", "there is no module acme_tilt.plugn", "did you mean `acme_tilt.plugin`?"),
        ("acme_tilt.deep.plugin", "there is no module acme_tilt.deep", "or write "),
        ("acme_tilt.plugin:hooks", "acme_tilt.plugin has no `hooks`", "Correct the entry point"),
    ],
)
def test_an_entry_point_to_nothing_is_answered_with_what_fixes_it(named, said, fix, checkout):
    with pytest.raises(UserError, match="TS-PLUGIN-006") as error:
        sync(checkout(GOOD, PROJECT.replace("acme_tilt.plugin", named)))
    assert said in error.value.what
    assert fix in error.value.fix
    assert "sync" not in error.value.fix
    assert "heavy" not in error.value.fix


def test_a_module_of_its_own_that_is_not_there_is_no_heavy_library(checkout):
    with pytest.raises(UserError, match="No module named") as error:
        sync(checkout("from acme_tilt.settngs import Tilt\n" + GOOD))
    assert error.value.fix == "Correct the import: the package has no module acme_tilt.settngs."


def test_where_a_plugin_explains_its_errors_stands_in_its_manifest(checkout):
    pages = '[tool.tunesmith.errors]\n"TILT-" = "https://acme.example/errors/{code}"\n'
    assert read_manifest(sync(checkout(GOOD, PROJECT + pages))[0].path).error_pages == {"TILT-": "https://acme.example/errors/{code}"}


@pytest.mark.parametrize("line", ['"TILT-" = "errors.md"', '"TS-" = "https://acme.example"', '"T" = "https://acme.example"', "TILT = 1"])
def test_pages_of_errors_that_nobody_could_open_are_refused(line, checkout):
    with pytest.raises(UserError, match="TS-PLUGIN-007"):
        sync(checkout(GOOD, f"{PROJECT}[tool.tunesmith.errors]\n{line}\n"))


@pytest.mark.parametrize(
    ("project", "said"),
    [
        (None, "has no pyproject.toml"),
        ("[project", "not valid TOML"),
        ("[project]\nname = 'x'", "has no entry point"),
        (PROJECT.replace("acme_tilt.", "acme_bend."), "has no package acme_bend"),
    ],
)
def test_a_folder_that_holds_no_plugin_is_a_coded_error(project: str | None, said: str, checkout):
    folder = checkout(GOOD, project or "")
    if project is None:
        (folder / "pyproject.toml").unlink()
    with pytest.raises(UserError, match="TS-PLUGIN-007") as error:
        sync(folder)
    assert said in error.value.what


def test_a_second_checkout_of_the_same_package_is_the_one_that_is_read(checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    other = tmp_path / "elsewhere" / "acme_tilt"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise RuntimeError('the wrong one')")
    monkeypatch.syspath_prepend(other.parent)
    assert read_manifest(sync(checkout(GOOD))[0].path).providers


def test_an_object_can_be_the_plugin(checkout):
    code = HEAD + "class Plugin:\n    @hookimpl\n    def adapter(self): return Provider('tilt', 'tilts', 'a:B')\nplugin = Plugin()\n"
    plugin = read_manifest(sync(checkout(code, PROJECT.replace('plugin"', 'plugin:plugin"')))[0].path)
    assert (plugin.module, plugin.providers[0].name) == ("acme_tilt.plugin:plugin", "tilt")


def test_plugins_below_a_folder_are_found_in_order(tmp_path: Path):
    for name in ("b", "a/x", ".hidden", "c"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "pyproject.toml").write_text(PROJECT if name != "c" else "[project]\nname = 'c'")
    assert list(find_sources(tmp_path)) == [tmp_path / "a" / "x", tmp_path / "b"]


def test_the_kernels_manifest_says_what_its_code_says():
    import tunesmith.verbs

    path = Path(tunesmith.verbs.__file__).parent / "plugin.toml"
    assert path.read_text() == manifest_text("tunesmith.verbs.plugin")
