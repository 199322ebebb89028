"""The pipeline file: what is wrong with it is told with its line, all at once, and never with a traceback."""

import contextlib
import importlib.util
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.errors import Problems, TunesmithError, UserError
from tunesmith.planning.pipeline.spec import PipelineSpec, load_pipeline
from tunesmith.planning.pipeline.yaml_lines import load_lines

GOOD = """\
name: demo
model: shelf://base
steps:
  tune:
    teach: echo
    adapter: {tilt: {angle: 4}}
    data: train.jsonl
    settings: {epochs: 2}
  score:
    evaluate: [surprise, politeness]
    from: [tune, model]
    gate: {surprise: "<= 1.05x model"}
  api: {serve: kettle, from: tune, needs: score}
"""


def test_a_gate_by_name_alone_bounds_what_is_1_for_yes(planner):
    named, written = (
        planner(GOOD.replace('gate: {surprise: "<= 1.05x model"}', gate)) for gate in ("gate: surprise", 'gate: {surprise: ">= 1"}')
    )
    assert named.gates == written.gates
    with pytest.raises(TunesmithError, match="does not measure `suprise`"):
        planner(GOOD.replace('gate: {surprise: "<= 1.05x model"}', "gate: suprise"))


def test_a_good_pipeline_plans(planner):
    plan = planner(GOOD)
    assert plan.name == "demo"
    assert plan.outputs == ("tune", "score", "api")
    scores = [step.name for step in plan.steps if step.group == "score"]
    assert scores == ["score:tune:surprise", "score:tune:politeness", "score:model:surprise", "score:model:politeness"]
    api = plan.steps[-1]
    assert api.name == "api"
    assert set(api.after) == set(scores)


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("name: demo", "nmae: demo", "TS-SPEC-004", ["tunesmith.yaml:1", "`name`"]),
        ("    teach: echo", "    taech: echo", "TS-PLUGIN-001", ["tunesmith.yaml:5", "`teach`"]),
        ("    teach: echo", "    echo: {}", "TS-PLUGIN-001", ["tunesmith.yaml:5", "Write `teach: echo`"]),
        ("    teach: echo", "    teach: ehco", "TS-PLUGIN-001", ["tunesmith.yaml:5", "`echo`"]),
        ("    teach: echo", "    teach:", "TS-SPEC-008", ["tunesmith.yaml:5", "echo"]),
        ("    teach: echo", "    teach: [echo, contrast]", "TS-SPEC-008", ["tunesmith.yaml:5"]),
        ("    teach: echo", "    teach: echo\n    fold: {}", "TS-SPEC-006", ["tunesmith.yaml:6", "teach, fold"]),
        ("    adapter:", "    adaptor:", "TS-SPEC-004", ["tunesmith.yaml:6", "`adapter`"]),
        ("{tilt: {angle: 4}}", "{tilt: {angel: 4}}", "TS-SPEC-020", ["tunesmith.yaml:6", "steps.tune.adapter.tilt.angel", "`angle`"]),
        ("{tilt: {angle: 4}}", "{tilt: {angle: 0}}", "TS-SPEC-020", ["at least 1"]),
        ("{tilt: {angle: 4}}", "{tilt: {side: up}}", "TS-SPEC-020", ["left"]),
        ("{tilt: {angle: 4}}", "{tilt: , angle: 4}", "TS-SPEC-008", ["indent", "tilt"]),
        ("{tilt: {angle: 4}}", "{tilt: 4}", "TS-SPEC-008", ["mapping"]),
        ("settings: {epochs: 2}", "settings: {epoch: 2}", "TS-SPEC-020", ["tunesmith.yaml:8", "steps.tune.settings.epoch", "`epochs`"]),
        ("settings: {epochs: 2}", "settings: [2]", "TS-SPEC-005", ["tunesmith.yaml:8"]),
        ("data: train.jsonl", "data: trian.jsonl", "TS-DATA-001", ["tunesmith.yaml:7", "`train.jsonl`"]),
        ("    data: train.jsonl\n", "", "TS-PLAN-010", ["`data`"]),
        ("  score:\n", "  tune:\n", "TS-SPEC-003", ["tunesmith.yaml:9", "`tune`", "line 4"]),
        ("  score:\n", "  model:\n", "TS-SPEC-007", ["tunesmith.yaml:9"]),
        ("  score:\n", "  sco re:\n", "TS-SPEC-007", ["sco re"]),
        ("from: [tune, model]", "from: [tuen, model]", "TS-SPEC-009", ["tunesmith.yaml:11", "`tune`"]),
        ("from: [tune, model]", "from: [tune, score]", "TS-SPEC-010", ["score -> score"]),
        ("from: [tune, model]", "from: []", "TS-SPEC-005", ["tunesmith.yaml:11"]),
        ("model: shelf://base", "model: shlef://base", "TS-SPEC-013", ["tunesmith.yaml:2", "`shelf://base`"]),
        ("model: shelf://base", "model: some/where", "TS-SPEC-013", ["shelf://"]),
        ("model: shelf://base\n", "", "TS-PLAN-010", ["`from`"]),
        ("<= 1.05x model", "about 1", "TS-SPEC-011", ["tunesmith.yaml:12", "about 1"]),
        ('surprise: "<=', 'surprize: "<=', "TS-SPEC-012", ["`surprise`"]),
        ("1.05x model", "1.05x api", "TS-SPEC-012", ["from: [api, tune, model]"]),
        ("needs: score", "needs: scroe", "TS-SPEC-009", ["`score`"]),
        ("serve: kettle", "device: lomo, serve: kettle", "TS-PLAN-007", ["`lomo`"]),
        ("serve: kettle", "device: loom, serve: kettle", "TS-PLAN-007", ["loom", "abacus"]),
        ("serve: kettle", "seed: -1, serve: kettle", "TS-SPEC-005", ["seed"]),
        ("serve: kettle", "env: moon, serve: kettle", "TS-SPEC-005", ["env"]),
        ("serve: kettle, from: tune", "serve: kettle, from: [tune, model]", "TS-SPEC-005", ["one thing"]),
        ("serve: kettle", "model: tune, serve: kettle", "TS-SPEC-004", ["written `from`"]),
        ("  api: {serve: kettle, from: tune, needs: score}", "  api: {from: tune}", "TS-SPEC-006", ["no verb", "serve"]),
        ("  api: {serve: kettle, from: tune, needs: score}", "  api: kettle", "TS-SPEC-005", ["api"]),
        ("  api: {serve: kettle, from: tune, needs: score}", "  api: {serve: kettle, from: score}", "TS-PLAN-011", ["4 artifacts"]),
        ("steps:", "steps: []\nmore:", "TS-SPEC-005", ["a mapping"]),
        ("name: demo", "name: [", "TS-SPEC-002", ["tunesmith.yaml:"]),
        ("name: demo", "name: demo\n\tmodel: x", "TS-SPEC-002", ["tabs"]),
        ('gate: {surprise: "<= 1.05x model"}', "gate:\n      surprise: > 0.5", "TS-SPEC-002", ["quotes"]),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_to_do(problems, old, new, code, words):
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    told = [p for p in found if p.code == code]
    assert told, [str(p) for p in found]
    text = " ".join(part for p in told for part in (p.what, p.why, p.fix))
    assert all(word in text for word in words), text
    assert all(p.fix for p in found)
    assert all(p.exit_status == 2 for p in found)


def test_a_cycle_is_shown_as_a_path(problems):
    found = problems("steps:\n  a: {fold: {}, from: c}\n  b: {fold: {}, from: a}\n  c: {fold: {}, from: b}\n")
    assert [p.code for p in found] == ["TS-SPEC-010"]
    assert "a -> c -> b -> a" in found[0].what


def test_all_mistakes_are_told_at_once(problems):
    bad = GOOD.replace("angle", "angel").replace("epochs", "epoch").replace("train.jsonl", "t.jsonl").replace("shelf://", "shlef://")
    bad = bad.replace("needs: score", "needs: scroe").replace("surprise,", "surprize,")
    codes = {p.code for p in problems(bad)}
    lines = [int(p.what.split(":")[1]) for p in problems(bad)]
    assert lines == sorted(lines)
    assert codes == {"TS-SPEC-020", "TS-DATA-001", "TS-SPEC-013", "TS-SPEC-009", "TS-PLUGIN-001"}


EACH = """modle: shelf://base
seed: -1
steps:
  1st: {teach: echo, from: zero, data: none.jsonl}
  tune: {taech: echo, data: train.jsonl}
  tune: {teach: echo}
  one: {teach: echo, from: two, data: nowhere.jsonl, settings: {epochs: 0}, gate: {loss: low}}
  two: {teach: ehco, from: one, data: train.jsonl, settings: {epcohs: 1}}
  text: teach
  after: {teach: echo, from: two, data: missing.jsonl, adapter: {tilt: {angel: 1}}}
  score: {evaluate: surprise, from: text, needs: nobody, gate: {suprise: "<= 2"}}
"""
LINES = {
    1: ["TS-SPEC-004"], 2: ["TS-SPEC-005"], 4: ["TS-DATA-001", "TS-SPEC-007", "TS-SPEC-009"], 5: ["TS-PLUGIN-001"], 6: ["TS-SPEC-003"],
    7: ["TS-DATA-001", "TS-SPEC-010", "TS-SPEC-011", "TS-SPEC-020"], 8: ["TS-PLUGIN-001", "TS-SPEC-020"], 9: ["TS-SPEC-005"],
    10: ["TS-DATA-001", "TS-SPEC-020"], 11: ["TS-SPEC-009", "TS-SPEC-012"],
}  # fmt: skip


def test_mistakes_of_the_grammar_do_not_hide_those_of_the_steps(problems):
    found: dict[int, list[str]] = {}
    for problem in problems(EACH):
        found.setdefault(int(problem.what.split(":")[1]), []).append(problem.code)
    assert {line: sorted(codes) for line, codes in found.items()} == LINES


def test_problems_travel_as_json(problems):
    (found, *_) = problems("steps: {}\n")
    assert TunesmithError.from_json(found.to_json()).what == found.what


@pytest.mark.parametrize("name", ["absent.yaml", "folder"])
def test_a_pipeline_file_that_is_not_there_is_an_error(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "tunesmith.yaml").write_text("steps: {}")
    with pytest.raises(TunesmithError, match="TS-SPEC-001"):
        load_pipeline(tmp_path / name)


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    path = tmp_path / "tunesmith.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TunesmithError, match="TS-SPEC-00"):
        load_pipeline(path)


def test_numbers_and_words_are_read_as_yaml_1_2_has_it():
    value, lines, _ = load_lines("a: 1e-4\nb: [no, on, true, 0x10, 010, 1.5, ~, 12:30, 2024-01-01]\n", "t.yaml")
    assert value == {"a": 1e-4, "b": ["no", "on", True, 16, 10, 1.5, None, "12:30", "2024-01-01"]}
    assert lines[("b", 2)] == 2


def test_yaml_is_read_alike_without_the_c_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml._yaml", None)
    specification = importlib.util.find_spec("tunesmith.planning.pipeline.yaml_lines")
    plain = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(plain)
    assert plain.CParser is None
    assert plain.load_lines(GOOD, "t") == load_lines(GOOD, "t")
    with pytest.raises(TunesmithError, match=r"t:2:\d+: not YAML"):
        plain.load_lines("a: [\nb: }", "t")


def test_anchors_and_merges_are_followed_but_not_without_end():
    assert load_lines("a: &x {r: 1, s: 2}\nb: {<<: *x, s: 3}\n", "t")[0]["b"] == {"r": 1, "s": 3}
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    for text in (bomb, "&a [*a]", "a: &a {<<: *a}", "[" * 500, "[" * 100_000, "{a: " * 100_000, "- " * 100_000):
        with pytest.raises(TunesmithError, match="TS-SPEC-00"):
            load_lines(text, "t")


def test_a_mapping_means_the_same_as_the_file(tmp_path, planner):
    plan = planner(GOOD)
    data, _, _ = load_lines(GOOD, "t")
    spec = PipelineSpec.from_mapping(data, tmp_path)
    from_file = load_pipeline(plan.path)
    assert (spec.name, spec.model, spec.steps, spec.seed) == (from_file.name, from_file.model, from_file.steps, from_file.seed)


def test_a_mapping_with_what_no_file_could_hold_is_refused(tmp_path):
    with pytest.raises(Problems) as caught:
        PipelineSpec.from_mapping({"steps": {"a": {"x": object(), 1: float("nan")}}}, tmp_path)
    assert [p.code for p in caught.value.problems] == ["TS-SPEC-005"] * 3


PIECES = st.sampled_from([
    "teach", "evaluate", "serve", "quantize", "fold", "prepare", "download", "export", "from", "needs", "gate", "seed", "settings",
    "device", "env", "data", "model", "adapter", "strategy", "echo", "contrast", "tilt", "whole", "auto", "producer", "kettle", "surprise",
    "exam", "binary", "card", "a", "b", "train.jsonl", "pairs.jsonl", "<= 1x a", "shelf://x", "angle", "tickets", "shelf", "",
])  # fmt: skip
VALUES = st.recursive(
    PIECES | st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PIECES, inner, max_size=3),
    max_leaves=8,
)
STEPS = st.dictionaries(st.sampled_from(["a", "b", "c", "model", "d e"]), st.dictionaries(PIECES, VALUES, max_size=5) | VALUES, max_size=4)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.fixed_dictionaries({"steps": STEPS}, optional={"model": PIECES, "seed": VALUES, "device": PIECES, "name": VALUES, "x": VALUES})
)
def test_no_mapping_makes_a_traceback(data, tmp_path, plan_spec):
    with contextlib.suppress(TunesmithError):  # nothing else may come
        plan_spec(PipelineSpec.from_mapping(data, tmp_path))


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60) | st.text(alphabet="ab:{}[]-&*<!|>'\" \n\t#%@~1.e", max_size=60))
def test_no_text_makes_a_traceback(text):
    with contextlib.suppress(TunesmithError):
        value, lines, _ = load_lines(text, "t")
        assert all(line >= 1 for line in lines.values())
        assert value is None or lines


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=st.sampled_from(GOOD.split()), new=PIECES | st.text(max_size=4))
def test_no_slip_of_the_pen_makes_a_traceback(old, new, planner):
    with contextlib.suppress(TunesmithError):
        planner(GOOD.replace(old, new, 1))


def test_the_main_provider_of_a_verb_cannot_be_whoever_made_its_input(problems):
    (found,) = problems("model: shelf://base\nsteps:\n  tune: {teach: producer, data: train.jsonl}\n")
    assert found.code == "TS-PLUGIN-001"


@pytest.mark.parametrize("odd", ["\ud83d", "x\udcff.jsonl"])
@pytest.mark.parametrize("place", ["model", "data", "key"])
def test_what_is_no_text_is_told_with_its_place(tmp_path, odd, place):
    step = {"teach": "echo", "adapter": "tilt", "data": odd if place == "data" else "train.jsonl", **({odd: 1} if place == "key" else {})}
    with pytest.raises(TunesmithError) as caught:
        PipelineSpec.from_mapping({"model": f"shelf://{odd}" if place == "model" else "shelf://base", "steps": {"tune": step}}, tmp_path)
    assert caught.value.code == "TS-SPEC-005"
    assert str(caught.value).encode()


@pytest.mark.parametrize("name", ["x\udcff.yaml", "a" * 5000, "a\0b"])
def test_any_path_of_a_pipeline_gets_a_coded_answer(tmp_path, name):
    with pytest.raises(UserError, match="TS-SPEC-001"):
        load_pipeline(tmp_path / name)
