"""The policy that counts is found in one way, whichever command is typed, from wherever, and however a file is named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import tunesmith as ts
from tunesmith import policy
from tunesmith.errors import TunesmithError
from tunesmith.session import Session

PIPELINE = "model: shelf://hello\nsteps:\n  small: {quantize: shorter}\n"
DENIED = '[plugins]\ndeny = ["acme-desk"]\n'
REQUIRED = '[plugins]\nrequire = ["acme-gate"]\n'

#: how the pipeline of the folder `there` is named, from which directory: (directory, name)
NAMES: dict[str, Callable[[Path], tuple[Path, str]]] = {
    "here": lambda there: (there, ""),
    "the folder as a dot": lambda there: (there, "."),
    "the file": lambda there: (there, "tunesmith.yaml"),
    "the folder, relative": lambda there: (there.parent, there.name),
    "the folder with a slash": lambda there: (there.parent, f"{there.name}/"),
    "the folder, absolute": lambda there: (Path("/"), str(there)),
    "the file, relative": lambda there: (there.parent, f"{there.name}/tunesmith.yaml"),
    "the file, absolute": lambda there: (Path("/"), str(there / "tunesmith.yaml")),
    "through the folder above": lambda there: (there.parent / "elsewhere", f"../{there.name}"),
    "a link to the folder": lambda there: (there.parent / "elsewhere", "link"),
    "a link to the file": lambda there: (there.parent / "elsewhere", "link.yaml"),
}


@pytest.fixture
def there(world, tmp_path: Path) -> Path:
    """A project with a pipeline that may not be run, beside another one in which nothing is forbidden."""
    there, elsewhere = tmp_path / "there", tmp_path / "elsewhere"
    there.mkdir()
    elsewhere.mkdir()
    (there / "tunesmith.yaml").write_text(PIPELINE)
    (there / "rows.jsonl").write_text('{"q": "who?", "a": "me"}\n')
    (elsewhere / "link").symlink_to(there)
    (elsewhere / "link.yaml").symlink_to(there / "tunesmith.yaml")
    return there


def denies(told) -> bool:
    return (told.status == 2 and "acme-desk is denied" in told.err) or "Not known what they bring: acme-desk (denied)" in told.err


def lacks_the_gate(told) -> bool:
    return told.status == 2 and "TS-PLUGIN-022" in told.err


@pytest.mark.parametrize(("text", "refused"), [(DENIED, denies), (REQUIRED, lacks_the_gate)], ids=["denied", "required"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("command", ["plan", "run"])
def test_the_pipelines_project_says_what_may_run(command, name, text, refused, there, world, monkeypatch, tmp_path: Path):
    directory, named = NAMES[name](there)
    monkeypatch.chdir(directory)
    monkeypatch.setenv("TUNESMITH_HOME", str(tmp_path / "state"))
    (there / "tunesmith.toml").write_text(text)
    assert refused(world(command, *filter(None, [named])))


@pytest.mark.parametrize(("text", "code"), [(DENIED, "TS-PLUGIN-00"), (REQUIRED, "TS-PLUGIN-022")], ids=["denied", "required"])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_holds_from_python(name: str, text: str, code: str, there, monkeypatch, tmp_path: Path):
    directory, named = NAMES[name](there)
    monkeypatch.chdir(directory)
    (there / "tunesmith.toml").write_text(text)
    pipeline = ts.Pipeline.load(named or "tunesmith.yaml", home=tmp_path / "state")
    for do in (pipeline.plan, pipeline.run):
        with pytest.raises(TunesmithError) as refused:
            do()
        assert code in str(refused.value) or "TS-SPEC" in str(refused.value), refused.value


def test_one_made_in_python_belongs_to_the_project_of_its_base(there, tmp_path: Path):
    (there / "tunesmith.toml").write_text(REQUIRED)
    steps = {"small": {"quantize": "shorter"}}
    with pytest.raises(TunesmithError, match="TS-PLUGIN-022"):
        ts.Pipeline(model="shelf://hello", steps=steps, base=there, home=tmp_path / "state").plan()


@pytest.mark.parametrize("where", ["there", "elsewhere", "/"])
@pytest.mark.parametrize("option", ["before the command", "after it", "as a variable"])
def test_a_run_goes_on_under_the_policy_of_its_pipeline_from_anywhere(where, option, there, world, monkeypatch, tmp_path: Path):
    home = str(tmp_path / "state")
    (there / "tunesmith.yaml").write_text(PIPELINE + '  score: {evaluate: letters, from: small, gate: {letters: "<= 0"}}\n')
    monkeypatch.chdir(there)
    assert world("--home", home, "run").status == 1
    (there / "tunesmith.toml").write_text(REQUIRED)
    monkeypatch.chdir(tmp_path / where)
    if option == "as a variable":
        monkeypatch.setenv("TUNESMITH_HOME", home)
    words = {"before the command": ("--home", home, "resume"), "after it": ("resume", "--home", home), "as a variable": ("resume",)}
    assert lacks_the_gate(world(*words[option]))


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "there"),
        ("run", "there"),
        ("quantize", "shorter", "--model", "shelf://hello"),
        ("echo", "--model", "shelf://hello", "--data", "there/rows.jsonl"),
        ("teach", "echo", "--model", "shelf://hello", "--data", "there/rows.jsonl"),
        ("chat", "--model", "shelf://hello", "-m", "hello"),
        ("download", "shelf://hello"),
        ("serve", "kettle", "--model", "shelf://hello"),
        ("desk", "drawn"),
    ],
    ids=" ".join,
)
def test_the_project_of_the_home_counts_wherever_one_is(words, there, world, monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    held = tmp_path / "held"
    held.mkdir()
    if words[0] not in ("chat", "serve"):  # they would stay
        assert world("--home", str(held / ".tunesmith"), *words).status == (1 if words[0] == "desk" else 0)
    (held / "tunesmith.toml").write_text(DENIED)
    assert world("--home", str(held / ".tunesmith"), *words).status == 2


@pytest.mark.parametrize("words", [("quantize", "shorter"), ("fold",)], ids=" ".join)
def test_a_step_taken_from_another_projects_pipeline_is_under_its_policy(words, there, world, monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path / "elsewhere")
    (there / "tunesmith.toml").write_text(REQUIRED)
    assert lacks_the_gate(world(*words, "--pipeline", "../there/tunesmith.yaml", "--from", "model", "--plan"))


def test_a_data_file_is_looked_at_under_its_projects_policy(there, world, tmp_path: Path):
    rows = str(there / "rows.jsonl")
    assert world("data", "inspect", rows, "--json").json["format"] == "pairs"
    (there / "tunesmith.toml").write_text(DENIED)
    assert world("data", "inspect", rows, "--json").json["format"] == ""
    assert world("data", "preview", rows, "--model", "shelf://hello").status == 2


@pytest.mark.parametrize("layer", ["system", "company", "named by the system", "user"])
def test_layers_above_the_project_hold_for_it(layer: str, there, world, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(policy, "SYSTEM_FILE", tmp_path / "etc" / "config.toml")
    (tmp_path / "etc").mkdir()
    (tmp_path / "config" / "tunesmith").mkdir(parents=True)
    if layer == "named by the system":
        policy.SYSTEM_FILE.write_text('[policy]\ncompany = "acme.toml"\n')
    elif layer == "company":
        monkeypatch.setenv("TUNESMITH_POLICY", str(tmp_path / "etc" / "acme.toml"))
    place = {"system": "etc/config.toml", "user": "config/tunesmith/config.toml"}.get(layer, "etc/acme.toml")
    told = world("plan", str(there))
    if "company" in place or place.endswith("acme.toml"):
        assert "TS-PLUGIN-020" in told.err, "a file that is named and not there is no permission"
    (tmp_path / place).write_text(REQUIRED)
    (there / "tunesmith.toml").write_text('[plugins]\nallow = ["*"]\nrequire = []\n')
    assert lacks_the_gate(world("plan", str(there)))


def test_a_session_for_one_project_plans_no_other(there, world):
    from tunesmith.planning.pipeline.spec import load_pipeline

    with pytest.raises(ValueError, match="can't plan"):
        Session.open().planned(load_pipeline(there), resolve=None)


def test_plan_and_doctor_say_which_home_and_which_files_count(there, world):
    (there / "tunesmith.toml").write_text("")
    told = world("plan", str(there))
    assert f"home: {world.folder / '.tunesmith'}" in told.out
    assert f"policy (project): {there / 'tunesmith.toml'}" in told.out
    assert world("plan", str(there), "--json").json["policies"] == [{"layer": "project", "path": str(there / "tunesmith.toml")}]
    os.chdir(there)
    assert f"{there / 'tunesmith.toml'} (project)" in world("doctor").out
    assert world("doctor", "--json").json["policies"][0]["layer"] == "project"
