"""Plugins that are broken: the command line works beside them, and using one is a coded error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.contracts import Need
from tunesmith_sdk.distributions.written_plugins import age, write_plugin

QUANTIZER = {"kind": "quantizer", "name": "shaky", "accepts": ("model/hf",), "produces": ("model/shaky",)}
PIPELINE = "name: bot\nmodel: file://model\nsteps:\n  small: {quantize: shaky}\n"
WRITES = """
        for path in source.path.iterdir():
            if path.suffix != ".safetensors":
                shutil.copyfile(path, output / path.name)
        (output / "weights").write_text("small")
"""
WORKS = f"""
import shutil

class Provider:
    def __init__(self):
        self.mood = "fine"
    def quantize(self, source, output, step, data=None):{WRITES}"""


@pytest.fixture
def shaky(project, tmp_path: Path):
    """Install the plugin `acme-shaky`: ``shaky(code_of_its_quantizer)``; its hooks' module raises when imported."""

    def install(code: str = WORKS, **fields) -> None:
        runtime = fields.pop("runtime", ())
        write_plugin(tmp_path / "site", "acme-shaky", providers=[QUANTIZER | fields], runtime=runtime)
        (tmp_path / "site" / "acme_shaky" / "provider.py").write_text(code)
        age(tmp_path / "site")  # what has just changed is not looked at again for each command
        project.variables["PYTHONPATH"] = str(tmp_path / "site")
        project.pipeline(PIPELINE)

    return install


def test_a_plugin_whose_hooks_raise_on_import_is_listed_and_all_works_without_importing_it(project, shaky) -> None:
    shaky()
    for words in (["--help"], ["plugin", "list"], ["plugin", "info", "shaky"], ["quantize", "--help"], ["plan"], ["run"]):
        answer = project.apart(*words)
        assert answer.status == 0, answer.err
        assert "shaky" in answer.out or "--help" in words
    doctor = project.apart("plugin", "doctor")
    assert doctor.status == 1
    assert "acme-shaky" in doctor.out
    assert "was imported" in doctor.out


FAILS = {
    "raises on import": ("raise RuntimeError('no abacus here')\n", "TS-RUN-010", 1, "no abacus here"),
    "needs what is not there": ("import abacus_kernels\n" + WORKS, "TS-RUN-011", 1, "`abacus_kernels`"),
    "is not what its manifest names": ("class Other: pass\n", "TS-RUN-017", 1, "no `Provider` in the module `acme_shaky.provider`"),
    "is no Python": ("class Provider(\n", "TS-RUN-010", 1, "SyntaxError"),
    "exits": ("import sys\nsys.exit(3)\n", "TS-RUN-010", 1, "SystemExit: 3"),
    "raises when made": (WORKS.replace('self.mood = "fine"', "raise ValueError('bad day')"), "TS-RUN-010", 1, "bad day"),
    "makes nothing": (WORKS.replace(WRITES, " pass\n"), "TS-RUN-016", 1, "wrote no file"),
    "tells the user of a mistake": (
        "from tunesmith.contracts import UserError\n"
        + WORKS.replace(WRITES, " raise UserError('ACME-001', 'too shaky', fix='Hold it.')\n"),
        "ACME-001",
        2,
        "fix:  Hold it.",
    ),
}


@pytest.mark.parametrize("how", FAILS)
def test_a_provider_that_fails_when_it_is_used_is_a_coded_error(how: str, project, shaky) -> None:
    code, expected, status, says = FAILS[how]
    shaky(code)
    project.plans()
    answer = project("run")
    assert (answer.status, expected in answer.err) == (status, True), answer.err
    assert says in answer.err
    assert "fix:" in answer.err
    assert "step: small\n" in answer.err
    assert project("runs", "show").status == 0, "a failed run can be looked at"


def test_a_fixed_plugin_goes_on_with_the_same_run(project, shaky, tmp_path: Path) -> None:
    shaky("raise RuntimeError('no abacus here')\n")
    assert project("run").status == 1
    (tmp_path / "site" / "acme_shaky" / "provider.py").write_text(WORKS)
    answer = project("resume")
    assert answer.status == 0, answer.err
    assert "from the cache" in answer.out, "the model is not fetched again"


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        (
            {"api": 99},
            "TS-PLUGIN-002",
            ["acme-shaky is incompatible", "version 99 of the quantizer contract", "pip install --upgrade tunesmith"],
        ),
        ({"accepts": ("model/abacus",)}, "TS-PLAN-001", ["`model/abacus`", "model/hf"]),
    ],
    ids=["another API version", "a format that nothing makes"],
)
def test_a_plugin_that_cannot_be_used_is_told_while_planning(fields, code: str, says: list[str], project, shaky) -> None:
    shaky(**fields)
    project.refuses(codes=code, says=["tunesmith.yaml:4", *says])
    listed = project("plugin", "list")
    assert (listed.status, "acme-shaky" in listed.out) == (0, True)


def test_a_plugin_that_may_not_have_an_environment_of_its_own_and_lacks_something_is_told_while_planning(project, shaky) -> None:
    shaky(runtime=["abacus-kernels>=2"])
    (project.folder / "tunesmith.toml").write_text('[environments.plugins]\nacme-shaky = "host"\n')
    project.refuses(codes="TS-PLUGIN-010", says=["tunesmith.yaml:4", "abacus-kernels>=2", "pip install"])


def test_a_plugin_for_another_version_of_the_contract_is_listed_with_the_reason(project, shaky) -> None:
    shaky(api=99)
    listed = project("plugin", "list")
    assert "incompatible" in next(line for line in listed.out.splitlines() if "acme-shaky" in line)
    assert "version 99" in listed.err


def test_an_unknown_capability_is_a_warning_and_with_strict_an_error(project, shaky) -> None:
    shaky(needs=(Need("device_backend", "abacus.beads", "it counts on them"),))
    assert "abacus.beads" in project.plans().out
    project.refuses("plan", "--strict", codes="TS-PLAN-004", says=["`abacus.beads`", "it counts on them", "`cpu`"])
    project.refuses("run", "--strict", codes="TS-PLAN-004")


def test_an_adapter_that_cannot_be_merged_is_told_before_training(project, tmp_path: Path) -> None:
    sieve = {
        "kind": "adapter",
        "name": "sieve",
        "accepts": ("model/hf",),
        "produces": ("adapter/sieve",),
        "capabilities": {"merge": "none"},
    }
    write_plugin(tmp_path / "site", "acme-sieve", providers=[sieve])
    project.variables["PYTHONPATH"] = str(tmp_path / "site")
    project.pipeline(
        "name: bot\nmodel: file://model\nsteps:\n  tune: {train: sft, adapter: sieve, data: train.jsonl}\n"
        "  small: {quantize: bitsandbytes, from: tune}\n"
    )
    project.refuses(codes="TS-PLAN-001", says=["tunesmith.yaml:5", "merge would help", "In `tune`: Use `lora`, "])
    project.pipeline((project.folder / "tunesmith.yaml").read_text().replace("sieve", "lora"))
    project.plans()


def test_a_denied_plugin_is_not_used_and_the_policy_is_named(project, shaky) -> None:
    shaky()
    project.write("tunesmith.toml", '[plugins]\ndeny = ["acme-*"]\n')
    project.refuses(codes="TS-PLUGIN-001", says=["acme-shaky (denied)"])


def test_a_policy_with_a_misspelt_key_stops_everything_but_looking(project) -> None:
    project.write("tunesmith.toml", '[plugins]\nalow = ["tunesmith-*"]\n')
    assert project("plugin", "list").status == 0
    answer = project.refuses(codes="TS-PLUGIN-021", says=["tunesmith.toml", "`plugins.alow`"])
    project.write("tunesmith.toml", (project.folder / "tunesmith.toml").read_text().replace("alow", answer.offers[0]))
    project.plans()
