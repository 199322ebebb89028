"""What the documentation shows is so: its pipelines plan, its links lead somewhere, its commands and options exist."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tunesmith.config import load_config
from tunesmith.plugins.registry import load_registry
from tunesmith_cli.main import main
from tunesmith_sdk.manifest.source import read_source
from tunesmith_sdk.testing.plans import plan_on_a_laptop

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
READMES = sorted([*ROOT.glob("plugins/*/*/README.md"), *ROOT.glob("contrib/*/README.md"), *ROOT.glob("*/README.md")])
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.M | re.S)
OUTER = re.compile(r"^ *````.*?^ *````$", re.M | re.S)  #: a block that shows blocks: a template's
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def fences(*languages: str, pages: Sequence[Path] = PAGES) -> list[tuple[str, str]]:
    """Page and text of each fenced block in one of these languages."""
    found = [(page, language, text) for page in pages for language, text in FENCE.findall(OUTER.sub("", page.read_text()))]
    return [(name_of(page), textwrap.dedent(text)) for page, language, text in found if language in languages]


def pipelines() -> list[tuple[str, str]]:
    return [(page, text) for page, text in fences("yaml") if "steps:" in text]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the data that the pages speak of."""
    made = tmp_path_factory.mktemp("project")
    for name in ("quickstart/train.jsonl", "quickstart/held-out.jsonl", "dpo/pairs.jsonl"):
        shutil.copy(ROOT / "examples" / name, made)
    shutil.copy(ROOT / "examples" / "reward" / "held-out.jsonl", made / "held-out-pairs.jsonl")
    (made / "prompts.jsonl").write_text('{"prompt": "What is 2 + 3?", "answer": "5"}\n')
    (made / "datasets/alpaca-zh").mkdir(parents=True)  # a named dataset, put there by hand
    shutil.copy(ROOT / "examples" / "quickstart" / "train.jsonl", made / "datasets/alpaca-zh")
    (made / "qa.jsonl").write_text('{"question": "Who wrote Faust?", "answer": "Goethe."}\n')
    return made


@pytest.fixture(scope="module")
def registry(folder: Path):
    return load_registry(load_config(folder, home=folder / "home"))


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pages take for granted: that a key which a pipeline names is there."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-page")


@pytest.mark.parametrize(("page", "text"), pipelines(), ids=[f"{page}-{n}" for n, (page, _) in enumerate(pipelines())])
def test_a_pipeline_on_a_page_plans_without_a_warning(folder: Path, registry, page: str, text: str) -> None:
    (folder / "tunesmith.yaml").write_text(text)
    plan = plan_on_a_laptop(folder / "tunesmith.yaml", registry)
    assert plan.warnings == ()
    assert set(yaml.safe_load(text)["steps"]) <= {step.group for step in plan.steps}


def test_every_yaml_block_of_the_pages_on_pipelines_is_a_pipeline() -> None:
    assert {page for page, _ in pipelines()} >= {"README.md", "docs/pipelines.md", "docs/datasets.md", "docs/serving.md"}
    others = [(page, text) for page, text in fences("yaml") if text.startswith("# gateway.yaml")]  # tried by the gateway's own tests
    assert [block for block in fences("yaml") if block not in others] == pipelines()


def test_every_configuration_on_a_page_is_one(tmp_path: Path) -> None:
    found = [(page, text) for page, text in fences("toml") if re.match(r"\[(plugins|environments)", text)]
    assert len(found) >= 4
    for page, text in found:
        (tmp_path / "tunesmith.toml").write_text(text)
        config = load_config(tmp_path, home=tmp_path / "home")
        assert not config.policy_problems, (page, config.policy_problems)
        assert config.environments.builder in ("", "venv")


def test_what_a_plugin_declares_on_a_page_is_understood(tmp_path: Path) -> None:
    found = [text for _, text in fences("toml") if text.startswith("[project.")]
    assert len(found) >= 2
    for text in found:
        points = "" if "entry-points" in text else '[project.entry-points."tunesmith.plugins"]\nengine = "acme_card.plugin"\n'
        (tmp_path / "src" / "acme_card").mkdir(parents=True, exist_ok=True)
        (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "acme-card"\nversion = "1"\n{text}{points}')
        (source,) = read_source(tmp_path)
        assert source.runtime
        if "tool.tunesmith" in text:
            assert all(dataclasses.asdict(source.environment_spec).values())


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(line.lstrip("#")) for line in page.read_text().splitlines() if line.startswith("#")}


@pytest.mark.parametrize("page", [*PAGES, *READMES], ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert not broken


def test_every_page_is_in_the_index() -> None:
    listed = {target.partition("#")[0] for target in LINK.findall((ROOT / "docs" / "index.md").read_text())}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"} <= listed


def commands() -> list[tuple[str, str]]:
    """Page and line of each command of ours in a block of commands."""
    found = []
    blocks = fences("console", "") + [
        (name_of(page), text) for page in READMES for language, text in FENCE.findall(page.read_text()) if language in ("", "bash")
    ]
    for page, text in blocks:
        for line in text.splitlines():
            line = line.strip().removeprefix("$ ").split("  ")[0]
            if line.startswith("tunesmith "):
                found.append((page, line))
    return found


@pytest.mark.parametrize(("page", "line"), commands(), ids=[f"{page}: {line}" for page, line in commands()])
def test_a_command_on_a_page_exists_with_its_options(page: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(line, comments=True)[1:]
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    command = []
    for word in words:
        if not re.fullmatch(r"[a-z]+(-[a-z]+)*", word) or len(command) == 2:
            break
        command.append(word)
    assert main([*command, "--help"]) == 0
    told = capsys.readouterr().out.replace("--[no-]", "--")
    if len(command) == 2 and told.startswith(f"usage: tunesmith {command[0]} [NAME"):  # the other word is a provider's name
        assert re.search(rf"\b{command[1]}\b", told)
    elif len(command) == 2 and re.match(rf"usage: tunesmith {command[0]} [A-Z]", told):  # it is an argument
        pass
    else:
        assert told.startswith(f"usage: tunesmith {' '.join(command)}".rstrip())
    for option in options:
        assert re.search(rf"{re.escape(option)}\b", told) or "." in option, f"{page}: {line}"
