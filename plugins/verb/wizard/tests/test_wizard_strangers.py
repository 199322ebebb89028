"""A stranger's plugin is among the wizard's answers, with its own help and its own bounds, without a line of ours."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest
import yaml

from tunesmith.config import load_config
from tunesmith.plugins import registry as registries
from tunesmith.plugins.registry import Registry, load_registry
from tunesmith_cli.api import Session, main

SAID = {"order": 99, "rule": "it tilts", "source": "arXiv:2601.00001"}
ANGLE = {"type": "integer", "minimum": 1, "maximum": 90, "default": 8, "description": "by how much it tilts"}
SCHEMA = {"type": "object", "additionalProperties": False, "properties": {"angle": ANGLE}}


@pytest.fixture
def stranger(project, monkeypatch: pytest.MonkeyPatch) -> None:
    """`acme-tilt` brings a quantizer `tilt`: `bitsandbytes` by another name, with settings of its own."""
    found = load_registry(load_config())
    known = found.providers("quantizer")["bitsandbytes"]
    facts = {**known.facts, "recommend": SAID}
    tilt = replace(known, name="tilt", summary="tilts weights", distribution="acme-tilt", schema=SCHEMA, facts=facts, estimator="")
    whose = next(plugin for plugin in found.plugins if plugin.distribution == known.distribution)
    made = replace(whose, distribution="acme-tilt", providers=(tilt,), kinds=(), commands=(), events=())
    everything = Registry([*found.plugins, made])
    monkeypatch.setattr(registries, "load_registry", lambda config: everything)
    opened = Session.open.__func__

    def session(cls, *args, **more):
        return replace(opened(cls, *args, **more), registry=everything)

    monkeypatch.setattr(Session, "open", classmethod(session))


def test_it_is_recommended_by_its_own_word_and_its_form_has_its_own_bounds(stranger, project, model, capsys, monkeypatch):
    typed = ["3", f"file://{model}", "", "angle", "91", "30", "", "small.yaml", "2"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(line + "\n" for line in typed)))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    main(["wizard", "--plain"])
    said = " ".join(capsys.readouterr().out.split())
    assert "recommended: tilt: it tilts (arXiv:2601.00001)" in said
    assert "tilts weights; it tilts" in said
    assert "by how much it tilts (at least 1; at most 90; default 8)" in said
    assert "! " in said
    assert "90" in said.partition("! ")[2][:60]
    assert yaml.safe_load((project / "small.yaml").read_text())["steps"]["small"] == {"quantize": {"tilt": {"angle": 30}}}
