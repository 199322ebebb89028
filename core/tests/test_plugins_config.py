from __future__ import annotations

import os
from pathlib import Path

import pytest

from tunesmith.config import find_home, load_config
from tunesmith.errors import TunesmithError
from tunesmith.policy import matches


@pytest.fixture(autouse=True)
def nobody_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("TUNESMITH_HOME", "TUNESMITH_CACHE", "TUNESMITH_POLICY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path.parent


def test_state_lives_in_the_nearest_tunesmith_folder_or_a_new_one_here(tmp_path: Path):
    below = tmp_path / "project" / "data"
    below.mkdir(parents=True)
    assert load_config(below).home == below / ".tunesmith"
    (tmp_path / "project" / ".tunesmith").mkdir()
    assert load_config(below).home == tmp_path / "project" / ".tunesmith"


@pytest.mark.parametrize("mark", ["tunesmith.yaml", "tunesmith.toml", ".git"])
def test_a_project_of_its_own_is_not_taken_by_a_home_that_was_left_above(mark: str, tmp_path: Path):
    (tmp_path / ".tunesmith").mkdir()
    below = tmp_path / "project" / "data"
    below.mkdir(parents=True)
    assert find_home(below) == tmp_path / ".tunesmith"
    (tmp_path / "project" / mark).touch()
    assert find_home(below) == tmp_path / "project" / ".tunesmith"


def test_a_home_that_another_user_left_above_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".tunesmith").mkdir()
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr("os.getuid", lambda: (tmp_path / ".tunesmith").stat().st_uid + 1)
    assert find_home(tmp_path / "mine") == tmp_path / "mine" / ".tunesmith"


def test_the_option_counts_more_than_the_variable_and_that_more_than_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".tunesmith").mkdir()
    monkeypatch.setenv("TUNESMITH_HOME", str(tmp_path / "variable"))
    assert load_config(tmp_path).home == tmp_path / "variable"
    assert load_config(tmp_path, home=tmp_path / "option").home == tmp_path / "option"


def test_the_cache_follows_the_desktops_rules_and_its_own_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert load_config(tmp_path).cache == tmp_path / "home" / ".cache" / "tunesmith"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert load_config(tmp_path).cache == tmp_path / "xdg" / "tunesmith"
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "own"))
    assert load_config(tmp_path).cache == tmp_path / "own"


def test_both_files_count_and_the_projects_override_comes_first(tmp_path: Path):
    written(
        tmp_path / "home/.config/tunesmith/config.toml", '[plugins]\ndeny = ["a"]\n[plugins.override]\n"adapter.x" = "u"\nverb.y = "u"\n'
    )
    project = written(tmp_path / "project/tunesmith.toml", '[plugins]\nallow = ["b*"]\n[plugins.override]\n"adapter.x" = "p"\n')
    (project / "deep").mkdir()
    config = load_config(project / "deep")
    assert [(policy.allow, policy.deny) for policy in config.policies] == [((), ("a",)), (("b*",), ())]
    assert config.overrides == {"adapter.x": "p", "verb.y": "u"}
    assert config.policy_problems == ()


def test_a_model_must_be_on_the_list_of_every_file_that_has_one_and_have_the_digest_that_is_pinned(tmp_path: Path):
    pin = "sha256:" + "5f" * 32
    written(tmp_path / "home/.config/tunesmith/config.toml", '[models]\nallow = ["hf://acme/*", "file:///data/*"]\n')
    project = written(
        tmp_path / "project/tunesmith.toml", f'[models]\nallow = ["hf://acme/tilt@{pin}", "hf://acme/open", "hf://other/*"]\n'
    )
    config = load_config(project)
    for uri, digest in (("hf://acme/tilt", ""), ("hf://acme/tilt", pin), ("hf://acme/open", "sha256:" + "00" * 32)):
        config.check_model(uri, digest)
    for uri, digest in (("hf://acme/tilt", "sha256:" + "00" * 32), ("hf://other/x", ""), ("file:///data/x", ""), ("hf://acme/tilt@v2", "")):
        with pytest.raises(TunesmithError, match="TS-MODEL-030"):
            config.check_model(uri, digest)


def test_without_a_list_every_model_may_be_used(tmp_path: Path):
    load_config(written(tmp_path / "project/tunesmith.toml", '[plugins]\ndeny = ["a"]\n')).check_model("hf://acme/tilt", "sha256:0")


def test_what_the_files_say_of_all_pipelines_is_told_with_its_file_the_projects_last(tmp_path: Path):
    written(tmp_path / "home/.config/tunesmith/config.toml", '[pipeline]\nwatch = "wall"\n')
    project = written(tmp_path / "project/tunesmith.toml", "[pipeline.watch.book]\npages = 3\n")
    config = load_config(project)
    assert config.pipelines == [
        (tmp_path / "home/.config/tunesmith/config.toml", {"watch": "wall"}),
        (project / "tunesmith.toml", {"watch": {"book": {"pages": 3}}}),
    ]
    assert config.policy_problems == ()


def test_a_project_can_narrow_what_the_user_allows_never_widen_it(tmp_path: Path):
    written(tmp_path / "home/.config/tunesmith/config.toml", '[plugins]\nallow = ["acme-*"]')
    config = load_config(written(tmp_path / "project/tunesmith.toml", '[plugins]\nallow = ["acme-tilt", "evil"]'))
    assert config.refusal("acme_tilt", "1") == ""
    assert "config.toml" in config.refusal("evil", "1")
    assert "tunesmith.toml" in config.refusal("acme-bend", "1")


@pytest.mark.parametrize(
    ("pattern", "distribution", "version", "fits"),
    [
        ("acme-tilt", "Acme_Tilt", "1.0", True),
        ("ACME.tilt", "acme-tilt", "1.0", True),
        ("acme-*", "acme-tilt", "1.0", True),
        ("acme-tilt==1.*", "acme-tilt", "1.0", True),
        ("acme-tilt==1.*", "acme-tilt", "2.0", False),
        ("*==2.0", "acme-tilt", "2.0", True),
        ("acme", "acme-tilt", "1.0", False),
    ],
)
def test_a_pattern_names_distributions_and_versions(pattern: str, distribution: str, version: str, fits: bool):
    assert matches(pattern, distribution, version) is fits


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("[plugins\n", "TS-PLUGIN-020", "can't be read"),
        ("[plugins]\nalow = []", "TS-PLUGIN-021", "`plugins.alow` is not a setting. Did you mean `allow`?"),
        ("[plugin]\n", "TS-PLUGIN-021", "`plugin` is not a setting. Did you mean `plugins`?"),
        ("plugins = 3", "TS-PLUGIN-021", "`plugins` should be a mapping, got 3"),
        ('[models]\nallow = ["hf://a/b@sha256:12"]', "TS-PLUGIN-021", "`models.allow` has the pattern 'hf://a/b@sha256:12'"),
        ('[plugins]\ndeny = "x"', "TS-PLUGIN-021", "`plugins.deny` should be a list, got 'x'"),
        ('[plugins]\ndeny = ["x>=2"]', "TS-PLUGIN-021", "the pattern 'x>=2'"),
        ('[plugins]\nrequire = ["acme-*"]', "TS-PLUGIN-021", "`plugins.require` has the entry 'acme-*'"),
        ('[plugins]\nrequire = ["acme>=1"]', "TS-PLUGIN-021", "`plugins.require` has the entry 'acme>=1'"),
        ('[plugins.override]\n"adapter." = "y"', "TS-PLUGIN-021", "the key 'adapter.'"),
        ('[plugins.override]\n"adapter" = "y"', "TS-PLUGIN-021", "the key 'adapter'"),
        ("[plugins.override]\nadapter.x = 1", "TS-PLUGIN-021", "`plugins.override.adapter.x` should be a string"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_until_it_is_fixed_nothing_is_trusted(text: str, code: str, said: str, tmp_path: Path):
    config = load_config(written(tmp_path / "project/tunesmith.toml", text))
    with pytest.raises(TunesmithError, match=code) as error:
        config.check()
    assert said in error.value.what
    assert "tunesmith.toml" in error.value.what
    assert "policy can't be read" in config.refusal("anything", "1.0")


def test_what_a_file_says_is_never_loosened_by_another(tmp_path: Path):
    user = tmp_path / "home/.config/tunesmith/config.toml"
    written(user, '[environments]\noffline = true\n[files]\nroots = ["/data"]\n[home]\ngroup = "lab"\n')
    project = written(tmp_path / "project/tunesmith.toml", '[environments]\noffline = false\n[files]\nroots = ["/data/a", "/", "/etc"]\n')
    config = load_config(project)
    assert config.environments.offline is True
    assert config.roots == (Path("/data/a"), Path("/data"))
    assert config.group == "lab"
    written(project / "tunesmith.toml", '[home]\ngroup = "everybody"\n[files]\nroots = []\n')
    config = load_config(project)
    assert (config.group, config.roots) == ("", ()), "they don't agree"


def test_a_choice_of_the_system_counts_before_the_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tunesmith.policy.SYSTEM_FILE", tmp_path / "etc.toml")
    written(tmp_path / "etc.toml", '[plugins.override]\n"adapter.x" = "s"\n[environments]\nbuilder = "shed"\nfind_links = ["s"]\n')
    text = '[plugins.override]\n"adapter.x" = "p"\n"adapter.y" = "p"\n[environments]\nbuilder = {barn = {doors = 2}}\nfind_links = ["p"]\n'
    config = load_config(written(tmp_path / "project/tunesmith.toml", text))
    assert config.overrides == {"adapter.x": "s", "adapter.y": "p"}
    assert (config.environments.builder, config.environments.settings) == ("shed", {})
    assert config.environments.find_links == (tmp_path / "s", tmp_path / "project" / "p")


def test_an_environment_builder_is_named_alone_or_with_its_settings(tmp_path: Path):
    project = written(tmp_path / "project/tunesmith.toml", '[environments]\nbuilder = {shed = {mirror = "m"}}\n')
    environments = load_config(project).environments
    assert (environments.builder, environments.settings) == ("shed", {"mirror": "m"})
    for wrong in ("{}", "{shed = {}, barn = {}}", "{shed = 1}", "3"):
        (problem,) = load_config(written(project / "tunesmith.toml", f"[environments]\nbuilder = {wrong}\n")).policy_problems
        assert (problem.code, "environments.builder" in problem.what) == ("TS-PLUGIN-021", True)


def test_the_homes_project_counts_beside_the_pipelines_and_a_folder_on_the_way_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("pipeline", "state", "here"):
        written(tmp_path / name / "tunesmith.toml", f'[plugins]\ndeny = ["{name}"]')
    monkeypatch.chdir(tmp_path / "here")
    config = load_config(Path("../pipeline"), home=tmp_path / "state" / ".tunesmith")
    assert [(policy.layer, policy.deny) for policy in config.policies] == [("project", ("pipeline",)), ("home", ("state",))]


def test_a_policy_that_is_no_file_is_no_permission(tmp_path: Path):
    (tmp_path / "project").mkdir()
    place = tmp_path / "project" / "tunesmith.toml"
    for make in (lambda: place.symlink_to(tmp_path / "nowhere"), lambda: os.mkfifo(place), place.mkdir):
        make()
        (problem,) = load_config(tmp_path / "project").policy_problems
        assert problem.code == "TS-PLUGIN-020"
        place.rmdir() if place.is_dir() else place.unlink()


def test_only_the_system_names_a_companys_file(tmp_path: Path):
    (problem,) = load_config(written(tmp_path / "project/tunesmith.toml", '[policy]\ncompany = "/mnt/acme.toml"')).policy_problems
    assert problem.code == "TS-PLUGIN-021"


def test_several_mistakes_are_told_at_once(tmp_path: Path):
    config = load_config(written(tmp_path / "project/tunesmith.toml", "[plugins]\na = 1\nb = 2"))
    with pytest.raises(TunesmithError) as error:
        config.check()
    assert len(error.value.to_json()["problems"]) == 2


def test_what_both_files_require_is_required(tmp_path: Path):
    written(tmp_path / "home/.config/tunesmith/config.toml", '[plugins]\nrequire = ["acme-gate"]')
    config = load_config(written(tmp_path / "project/tunesmith.toml", '[plugins]\nrequire = ["acme-policy==1.2.*", "acme-gate"]'))
    assert config.policy_problems == ()
    assert config.required == ("acme-gate", "acme-policy==1.2.*")


PIN = "sha256:" + "5f" * 32


def test_a_pin_allows_one_code_of_a_version_and_says_what_it_found(tmp_path: Path):
    config = load_config(written(tmp_path / "project/tunesmith.toml", f'[plugins]\nallow = ["acme-tilt==1.*@{PIN}"]'))
    assert config.policy_problems == ()
    assert config.refusal("acme-tilt", "1.0", lambda: PIN) == ""
    other = "sha256:" + "00" * 32
    assert f"its code is {other}" in config.refusal("acme-tilt", "1.0", lambda: other)
    assert "unreadable" in config.refusal("acme-tilt", "1.0", lambda: "")
    assert "not among the allowed" in config.refusal("acme-tilt", "2.0", lambda: PIN)


def test_without_a_pin_no_code_is_looked_at(tmp_path: Path):
    def asked() -> str:
        raise AssertionError("it was")

    config = load_config(written(tmp_path / "project/tunesmith.toml", f'[plugins]\nallow = ["acme-*"]\ndeny = ["evil@{PIN}"]'))
    assert config.refusal("acme-tilt", "1.0", asked) == ""


@pytest.mark.parametrize("pattern", ["acme@sha256:5f", "acme@md5:" + "5f" * 16, "acme@", "@" + PIN])
def test_a_pin_that_would_never_match_is_a_mistake(tmp_path: Path, pattern: str):
    (problem,) = load_config(written(tmp_path / "project/tunesmith.toml", f'[plugins]\nallow = ["{pattern}"]')).policy_problems
    assert problem.code == "TS-PLUGIN-021"


def test_how_much_is_verified_is_the_projects_choice_before_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert load_config(tmp_path / "project").verify == 4 * 2**30
    written(tmp_path / "config" / "tunesmith" / "config.toml", "[store]\nverify_gib = 0\n")
    assert load_config(tmp_path / "project").verify == 0
    written(tmp_path / "project" / "tunesmith.toml", "[store]\nverify_gib = 0.5\n")
    assert load_config(tmp_path / "project").verify == 2**29
    written(tmp_path / "project" / "tunesmith.toml", "[store]\nverify_gib = -1\n")
    with pytest.raises(TunesmithError, match="verify_gib"):
        load_config(tmp_path / "project").check()


def test_how_long_ranks_may_do_nothing_is_the_projects_choice(tmp_path: Path):
    assert load_config(tmp_path / "project").hang_timeout == 30
    written(tmp_path / "project" / "tunesmith.toml", "[run]\nhang_timeout = 0\n")
    assert load_config(tmp_path / "project").hang_timeout == 0
    written(tmp_path / "project" / "tunesmith.toml", "[run]\nhang_timeout = -1\n")
    with pytest.raises(TunesmithError, match="hang_timeout"):
        load_config(tmp_path / "project").check()
