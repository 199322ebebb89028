"""What a plugin's author tells the kit by functions, in the file that ``[tool.tunesmith.conformance] author`` names.

Each is called with a `Case` first, which says for which provider it is asked; one that gives None has nothing to say for that provider,
and the kit does what it would have done without it::

    # tests/conformance_author.py
    def settings(case):                 # settings whose values exist only while something runs: held open for the examination
        with a_server(case.material("taught")) as url:
            yield {"url": url}

    def source(case):                   # something that the provider accepts, where the kit makes none
        write_a_model(case.directory)
        return "model/acme"             # its format

    def uri(case):                      # model_loader: of a model that it can resolve and fetch
        return f"acme://{case.material('taught')}"

    def rows(case):                     # dataset_format: rows to convert, besides those that the kit makes from the schema;
                                        # evaluator: rows to evaluate on, in place of the kit's; of prompts, what their column
                                        # `answer` has is what a model says that knows them
        return [{"question": "Why?", "answer": "So."}]

    def written(case):                  # input_reader: something that it reads, as in a pipeline
        return str(case.directory / "rows-*.jsonl")

    def installed(case):                # input_reader: providers by kind that it may choose among
        return {"dataset_format": [Provider("tickets", ..., facts={"row": {...}})]}

    def known_answers(case):            # evaluator: (artifact, rows, metrics known beforehand)
        yield Artifact("model/hf", case.material("taught")), [...], {"share": 0.5}

    def examinee(case, data, good):     # evaluator of what the kit doesn't make: one that knows the rows of `data`, or nothing
        yield Artifact("model/hf+acme", a_tiny_model(case.directory, data.path if good else None))

    def oracle(case, batch):            # objective: the loss by another's code
        return other_library.loss(batch.policy, beta=case.settings["beta"])

    def model(case, directory):         # exporter, quantizer: what the artifact in a directory computes, where transformers can't load it
        return unpacked_by_hand(directory)

    def engine_request(case, engine):   # inference_backend with a program of its own: what that asks of its library, given the engine
        return parameters_of(engine.command)

    def training(case, build, placement):         # trainer_strategy that trains models of some families alone: what comes of training one
        return losses_of_a_few_steps(build(), placement)

    def scene(case, setting, step, build):        # a setting whose `effect` names a scene: what comes of the provider's work in it
        return ask_a_server_that_fails(build())

    def pipeline(case):                 # verb that composes other providers: a pipeline in which its step is the last one
        return {"model": f"file://{case.material('taught')}", "steps": {"tune": {"train": "sft", "data": "rows.jsonl"}}}

    def visit(case, ready):             # verb that is a service: what somebody finds who asks it, once it is up
        return models_at(ready["url"])

The checks of a kind that a plugin brings may ask for further ones.

`settings`, `source` and `pipeline` are called in the environment that the kit itself is in, the others in the worker, in the plugin's.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tunesmith_sdk.conformance.checks import NotRun

KEPT = "folders"  #: in a work directory: what the kit itself puts there


@dataclass(frozen=True)
class Case:
    """For whom an author's function is asked.

    Args:
        kind, name: of the provider, as in its manifest.
        settings: its settings in this examination, defaults filled in.
        directory: an empty one, for what the function writes.
        work: the step's work directory, which a step that was killed finds again.
        find: gives the path of what the kit made, by name.
    """

    kind: str
    name: str
    settings: Mapping[str, Any]
    directory: Path
    work: Path
    find: Callable[[str], Path]

    def material(self, name: str) -> Path:
        """Something that the kit has made: ``taught`` and ``blank`` are tiny models (``model/hf``) that know a few sentences and nothing,
        ``gguf`` is the first in that format, ``rows`` and ``pairs`` are datasets (``dataset/chat``, ``dataset/preference``)."""
        return Path(self.find(name))

    @property
    def kept(self) -> Path:
        """A directory that a killed step finds again when it goes on: for what a provider keeps outside of its step, a cache."""
        path = self.work / KEPT / "kept"
        path.mkdir(parents=True, exist_ok=True)
        return path


@cache
def given(path: str) -> frozenset[str]:
    """Names of the functions that an author's file defines or imports, without running it; none where there is no file."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8")) if path else ast.Module([], [])
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    found |= {alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    return frozenset(found)


@cache
def reach(path: str) -> None:
    """Have what lies beside an author's file be imported by its name: by the file, and by what settings name."""
    if path:
        sys.path.append(str(Path(path).parent))


@cache
def function(path: str, name: str) -> Any:
    """A function of the author's file, which is imported by its path and may import its neighbours."""
    reach(path)
    spec = importlib.util.spec_from_file_location(f"conformance_author_{hashlib.sha256(path.encode()).hexdigest()[:8]}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return getattr(module, name)


def missing(name: str) -> NotRun:
    """What a check that needs a function raises where there is none."""
    return NotRun(f"its author gives no `{name}`", where=f"define `{name}` in the file that [tool.tunesmith.conformance] `author` names")
