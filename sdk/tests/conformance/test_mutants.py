"""Tests of the kit: a plugin with one thing wrong is caught by the check that is meant for that, and by no other."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("conformance_mutants", Path(__file__).with_name("mutants.py"))
assert _spec is not None
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)  # type: ignore[union-attr]

TIME = "__import__('time').time_ns()"
#: of an evaluator: one of two answers is right
ANSWERS = """
from tunesmith_data.api import message
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint

def known_answers(case):
    rows = [{"messages": [message("user", question), message("assistant", "yes")]} for question in ("Is it?", "Was it?")]
    with scripted_endpoint({"Is it?": "yes"}, case.directory) as endpoint:
        yield endpoint, rows, {"share": 0.5}
"""
#: of an exporter whose numbers are not compared, which takes torch and transformers
PLAIN = (', capabilities={"lossless": "full"}', "")
#: of a kind of which one check takes torch: the others
CHECKS = {"device_backend": ("device_backend.probes", "device_backend.never-raises", "device_backend.light")}
TABLE = '[tool.tunesmith.conformance]\nauthor = "author.py"'

#: check -> (kind, changes of the good plugin); with these the plugin's runtime needs no library
LIGHT = {
    "device_backend.probes": ("device_backend", ("1000, 500", "1000, 5000")),
    "device_backend.never-raises": (
        "device_backend",
        ("        return", '        import subprocess\n        subprocess.run(["ls"], capture_output=True)\n        return'),
    ),
    "device_backend.light": ("device_backend", ("        return", "        import numpy  # noqa: F401\n        return")),
    "input_reader.leaves-or-refuses": ("input_reader", ("except (OSError, ValueError)", "except KeyError")),
    "input_reader.answers-a-plan": ("input_reader", ("file=InputFile(path, planner.digest_of(path)), ", "")),
    "input_reader.same-answer": ("input_reader", ("size=path.stat().st_size", f"size={TIME}")),
    "executor.carries-out": ("executor", ("{**job.environment}", "{}")),
    "executor.gathers-ranks": ("executor", ("workers.result()", "workers.result() and workers.ranks[-1].result")),
    "executor.tells-failures": (
        "executor",
        ("return Result(**workers.result())", "return Result(**result_of(workers))"),
        (
            "class Provider:",
            "def result_of(workers):\n    try:\n        return workers.result()\n    except Exception:\n        return {}\n\n"
            "class Provider:",
        ),
    ),
    "executor.stops-all": (
        "executor",
        ("            workers.close()\n            sockets.close()\n", "            LEFT.append(workers)\n"),
        ("                    workers.cancel()\n", "                    break\n"),
        ("class Provider:", "LEFT = []\n\n\nclass Provider:"),
    ),
    "executor.finds-again": ("executor", ("logs.mkdir(exist_ok=True)", "logs.mkdir()")),
    "environment_builder.builds-what-is-asked": (
        "environment_builder",
        ("return sum(file.lstat().st_size", "return 0 * sum(file.lstat().st_size"),
    ),
    "environment_builder.tells-one-key": ("environment_builder", ("json.dumps([lock, recipe.accelerator])", "json.dumps([lock])")),
    "environment_builder.starts-workers": ("environment_builder", ('("PYTHONPATH", "PYTHONHOME")', '("PYTHONPATH",)')),
    "environment_builder.fixes-damage": ("environment_builder", ("if not (site / name).exists()]", "if not site.exists()]")),
    "environment_builder.stops": ("environment_builder", *[("watch.check()", "pass")] * 3),
    "environment_builder.refuses-by-code": ("environment_builder", ('UserError("ACME-ENV-002"', 'KeyError("ACME-ENV-002"')),
    "evaluator.reports-what-it-declares": (
        "evaluator",
        ('{"share": right / len(samples)}', '{"share": right / len(samples), "other": 1.0}'),
    ),
    "evaluator.deterministic": ("evaluator", ('{"answer": answer}', f'{{"answer": answer, "at": {TIME}}}')),
    "evaluator.prefers-the-better": ("evaluator", ('"better": "higher"', '"better": "lower"')),
    "evaluator.needs-no-reference": ("evaluator", ('{"better": "higher"}', '{"better": "higher", "reference": False}')),
    "evaluator.known-answers": ("evaluator", ("right / len(samples)", "right / (len(samples) + 1)")),
    "model_loader.pins": ("model_loader", ("hashlib.sha256(repr(files).encode()).hexdigest()", '""')),
    "model_loader.fetches": ("model_loader", ('(step.work / "part")', '(output / "part")')),
    "model_loader.verifies": ("model_loader", ('!= entry["sha256"]', "is None")),
    "model_loader.says-what-is-missing": ("model_loader", ("        if not folder.is_dir():", "        if not folder.parent.is_dir():")),
    "model_loader.offline": (
        "model_loader",
        (
            "        files = {",
            "        try:\n            __import__('socket').create_connection(('127.0.0.1', 9), 1)\n        except OSError:\n"
            "            pass\n        files = {",
        ),
    ),
    "verb.composes": ("verb", ('accepts=("model/hf",)', 'accepts=("model/hf",), of="nothing"')),
    "verb.makes-its-format": ("verb", ('format="document/stamp"', 'format="document/seal"')),
    "verb.reproducible": ("verb", ('.write_text("stamped")', f".write_text(str({TIME}))")),
    "exporter.writes-its-format": ("exporter", ('format="model/hf"', 'format="model/other"')),
    "exporter.reproducible": ("exporter", ('"the exporter"', TIME)),
    "exporter.leaves-its-source": (
        "exporter",
        ("        for pattern", '        (source.path / "mark").write_text("seen")\n        for pattern'),
    ),
    "provider.facts": (  # which tunesmith-recommend reads
        "exporter",
        ('capabilities={"lossless": "full"}', 'capabilities={"lossless": "full"}, facts={"recommend": {"oder": 1}}'),
    ),
    "step.crash-contained": (
        "exporter",
        (
            "step.check_cancelled()",
            "__import__('subprocess').Popen(['/bin/sleep', '20'], env={}, start_new_session=True)\n"
            "        while not step.wait_cancelled(1):\n            step.check_cancelled()",
        ),
    ),
}

#: how a provider does not heed a cancel -> what it does in place of asking for one
HEEDLESS = {
    "sleeps": "__import__('time').sleep(60)",
    "computes": "until = __import__('time').monotonic() + 60\n        while __import__('time').monotonic() < until:\n            pass",
    "looks at its start only": "step.check_cancelled()\n        __import__('time').sleep(60)",
    "waits for a process": "__import__('os').system('sleep 60')",
    "swallows it": "try:\n            while not step.wait_cancelled(1):\n                pass\n            step.check_cancelled()\n"
    "        except BaseException:\n            __import__('time').sleep(60)",
    "fails of it": "step.wait_cancelled(60)\n        raise KeyError('where was I?')",
}

_RESUMED = (
    '(step.work / "part").write_text("half")',
    'left = (step.work / "part").exists()\nINDENT(step.work / "part").write_text("half")\nINDENTstep.wait_cancelled(0 if left else 0.5)',
)
_DEEP, _FLAT = ((_RESUMED[0], _RESUMED[1].replace("INDENT", " " * depth)) for depth in (8, 4))
#: kind -> changes by which a step that was killed goes on wrongly
KILLED = {
    "exporter": (PLAIN, _DEEP, ('(output / "note.json")', '(output / ("again.json" if left else "note.json"))')),
    "verb": (_FLAT, ('"stamped"', 'f"stamped {left}"')),
    "model_loader": ((_DEEP[0], _DEEP[1] + '\n        if left:\n            (output / "config.json").write_text("{}")'),),
    "quantizer": (_DEEP, ('metadata={"format": "pt"}', 'metadata={"format": "tf" if left else "pt"}')),
}

KILLED_BY_CHECK = [f"{kind}.same-after-a-kill" for kind in KILLED]
CANCELLED = ["step.cancels"]  #: by each of HEEDLESS

_S = "inference_backend"
SERVED = {
    "inference_backend.answers": ((_S, ('"id": self.server.model, "object": "model"', '"id": "other", "object": "model"'))),
    "inference_backend.counts": ((_S, ('"total_tokens": 5 + count', '"total_tokens": 6 + count'))),
    "inference_backend.streams": ((_S, ("for piece in [*pieces, None]:", 'for piece in ["".join(pieces), None]:'))),
    "inference_backend.unicode": ((_S, ('{"content": piece}', '{"content": piece.replace("你", "\\ufffd")}'))),
    "inference_backend.stops": ((_S, ('asked.get("stop") or ()', "()"))),
    "inference_backend.logprobs": ((_S, ('{"token": p, "logprob": -0.1,', '{"token": p, "logprob": 0.5,'))),
    "inference_backend.seeds": ((_S, ("random.Random(seed if heat else 0)", "random.Random()"))),
    "inference_backend.long-prompts": ((_S, ("LONGEST = 4000", "LONGEST = 4000_000"))),
    "inference_backend.concurrent": (
        (
            _S,
            (
                "        self.server.busy.acquire()",
                "        self.server.busy.acquire()\n        self.server.pause.wait(0.3)\n"
                '        if self.server.busy._value < 999:\n            pieces = ["busy"]',
            ),
        )
    ),
    "inference_backend.disconnects": (
        (_S, ("        except OSError:\n            pass", "        except OSError:\n            __import__('os')._exit(9)"))
    ),
    "inference_backend.bad-requests": ((_S, ("            assert limit >= 0", "            limit = abs(limit)"))),
    "inference_backend.completions": ((_S, ('begun = prompt.rpartition("\\n")[2]', 'begun = prompt.rpartition("\\n")[2][:5]'))),
    "inference_backend.echoes": ((_S, ("[None, *[-1.0] * (len(prompt) - 1)]", "[-1.0] * len(prompt)"))),
    "inference_backend.routes": (
        (
            _S,
            ('("/health", "/metrics")', '("/health",)'),
            (
                "return self.say(200, {})\n",
                'return self.say(200, {})\n        if self.path == "/metrics":\n            return self.say(404, {})\n',
            ),
        )
    ),
    "inference_backend.malformed": ((_S, ('assert isinstance(asked.get("stop") or [], list)', "pass"))),
    "inference_backend.large-bodies": ((_S, ("assert len(prompt) < LONGEST", "assert len(prompt) < LONGEST or len(prompt) > 2**25"))),
    "inference_backend.half-open": (
        (
            _S,
            (
                "class Parrot(BaseHTTPRequestHandler):\n",
                "OPEN = []\n\n\nclass Parrot(BaseHTTPRequestHandler):\n    def setup(self):\n        super().setup()\n"
                "        OPEN.append(self)\n"
                "        if len(OPEN) > 40:\n            __import__('os')._exit(9)\n\n    def finish(self):\n        super().finish()\n"
                "        OPEN.remove(self)\n\n",
            ),
        )
    ),
    "inference_backend.drains": ((_S, ("server.busy.acquire(timeout=10)", "pass"), ("pause.wait(0.02)", "pause.wait(0.2)"))),
}


#: of a backend that is `updatable` -> what its check says
UPDATABLE = {
    "the first weights stay": (
        ('told["log_probs"][weights.path.name.removesuffix(WHOLE)]', 'told["log_probs"]["one"]'),
        "of the model with the weights",
    ),
    "whole weights change nothing": (
        (
            "self.version = version",
            "self.known |= dict.fromkeys(self.known, [0.0] * 320) if weights.format == 'model/hf' else {}\n        self.version = version",
        ),
        "of the model with the weights",
    ),
    "it is not woken": (("self.asleep = False", "self.asleep = True"), "it fails"),
    "other formats than are declared": (('1e-3}, ("adapter/peft", "model/hf")', '1e-3}, ("adapter/peft",)'), "differ in model/hf"),
    "another version is told": (("self.version = version", "self.version = getattr(self, 'version', version)"), "as version 0"),
    "another temperature": (("[token], [logs[token]]", "[token], [logs[token] * TEMPERATURE]"), "of the model with the weights"),
    "too few completions": (("range(options.n)", "range(1)"), "4 completions of each prompt were asked for"),
}
UPDATED = ["inference_backend.updatable"]  #: by each of UPDATABLE
_SAMPLER = {
    "good": "updatable_backend",
    "record": 'accepts=("model/hf",), produces=("endpoint/openai",), capabilities={"updatable": "full"}, '
    'facts={"takes": ("adapter/peft", "model/hf")}',
}


#: of those, what waits long for what does not come
_WAITS = {"step.crash-contained"}


@pytest.mark.parametrize("check", [pytest.param(check, marks=[pytest.mark.slow] * (check in _WAITS)) for check in LIGHT])
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    kind, *changes = LIGHT[check]
    (tmp_path / "author.py").write_text(ANSWERS)
    changes += [PLAIN] * (kind == "exporter")
    folder = mutants.write(tmp_path, kind, *changes, table=TABLE if kind == "evaluator" else "")
    only = [*CHECKS.get(kind, (kind,)), "provider"] if check.startswith(kind) else ["step", "provider"]
    assert mutants.failed(folder, *only) == {check}


@pytest.mark.slow
@pytest.mark.parametrize("how", HEEDLESS)
def test_a_provider_that_does_not_heed_a_cancel_is_caught(how: str, tmp_path: Path):
    folder = mutants.write(tmp_path, "exporter", ("step.check_cancelled()", HEEDLESS[how]))
    assert mutants.failed(folder, "step.cancels", "provider") == {"step.cancels"}


#: the same where one process is asked to stop, begins again and is killed: that of what takes long to import
IN_ONE_PROCESS = {
    "step.cancels": "__import__('time').sleep(8)",
    "step.crash-contained": "__import__('subprocess').Popen(['/bin/sleep', '40'], env={}, start_new_session=True)",
}


@pytest.mark.slow
@pytest.mark.parametrize("check", IN_ONE_PROCESS)
def test_a_fault_of_what_is_heavy_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    folder = mutants.write(tmp_path, "quantizer", ("step.check_cancelled()", IN_ONE_PROCESS[check] + "\n        step.check_cancelled()"))
    assert mutants.failed(folder, "step", "provider") == {check}


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind in mutants.HEAVY)) for kind in KILLED])
def test_what_goes_on_wrongly_after_a_kill_is_caught(kind: str, tmp_path: Path):
    folder = mutants.write(tmp_path, kind, *KILLED[kind])
    assert mutants.failed(folder, kind, "step", "provider") == {f"{kind}.same-after-a-kill"}


@pytest.mark.slow
@pytest.mark.parametrize("check", SERVED)
def test_a_fault_of_a_server_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    kind, *changes = SERVED[check]
    assert mutants.failed(mutants.write(tmp_path, kind, *changes), kind, "provider") == {check}


@pytest.mark.slow
def test_a_good_sampler_of_a_model_that_is_trained_meanwhile_is_caught_by_nothing(tmp_path: Path):
    assert mutants.failed(mutants.write(tmp_path, _S, **_SAMPLER), *UPDATED) == set()


@pytest.mark.slow
@pytest.mark.parametrize("how", UPDATABLE)
def test_a_sampler_of_a_model_that_is_trained_meanwhile_is_caught(how: str, tmp_path: Path):
    change, said = UPDATABLE[how]
    (outcome,) = (one for one in mutants.conform(mutants.write(tmp_path, _S, change, **_SAMPLER), only=UPDATED).outcomes if one.what)
    assert (outcome.check, said in outcome.what) == (UPDATED[0], True)


def test_a_class_that_its_kind_s_callers_can_t_call_is_told_with_what_they_call(tmp_path: Path):
    folder = mutants.write(tmp_path, "exporter", ("def export(self, source, output, step)", "def export(self, source, output)"))
    (outcome,) = mutants.conform(folder, only=["provider.loads"]).outcomes
    assert "`export(source, output, step)` can't be called" in outcome.what
