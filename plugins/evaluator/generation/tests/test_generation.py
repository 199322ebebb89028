"""Against a real HTTP server on this machine (chat_server.py)."""

import json
import threading
import time

import pytest
from chat_server import chat_server

from tunesmith.contracts import Cancelled, TunesmithError, UserError
from tunesmith_data.api import message
from tunesmith_generation.answers import KEPT
from tunesmith_generation.evaluator import Generation
from tunesmith_generation.settings import GenerationSettings
from tunesmith_sdk.testing.datasets import dataset
from tunesmith_serve import endpoint_client


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(endpoint_client, "FIRST_DELAY", 0.01)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # must not be used for this machine's own ports
    with chat_server({f"q{n}": f"The answer {n}." for n in range(20)}) as server:
        yield server


def rows(count, wrong=0):
    return [{"messages": [message("user", f"q{n}"), message("assistant", f"answer {n + (n < wrong) * 100}")]} for n in range(count)]


def evaluate(server, step, data, **settings):
    return Generation(GenerationSettings(**settings)).evaluate(
        server.endpoint, data if data is None else dataset(step.work / "rows", data), step
    )


def outcomes(evaluation):
    return [sample.get("not_scored", sample.get("right")) for sample in evaluation.samples]


def test_the_metric_is_the_share_of_right_answers_with_its_interval(server, local_step):
    evaluation = evaluate(server, local_step(), rows(20, wrong=5))
    found = evaluation.metrics
    assert found["exact_match"] == 0.75
    assert found["exact_match/low"] < 0.75 < found["exact_match/high"]
    assert [found[name] for name in ("scored", "failed", "truncated", "unparsed")] == [20, 0, 0, 0]
    assert evaluation.samples[7] == {
        "question": "q7", "expected": "answer 7", "answer": "The answer 7.", "parsed": "The answer 7.", "right": True, "exact_match": True,
    }  # fmt: skip
    assert [sample["right"] for sample in evaluation.samples] == [False] * 5 + [True] * 15


def test_the_request_is_greedy_bounded_and_has_the_whole_conversation(server, local_step):
    talk = [
        message("system", "Be brief."),
        *(message(*turn) for turn in (("user", "q0"), ("assistant", "x"), ("user", "q1"), ("assistant", "y"))),
    ]
    evaluate(server, local_step(), [{"messages": talk, "tools": [{"type": "function"}]}], max_tokens=7, system="Be long.")
    body = server.seen[0]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0, 7)
    assert [turn["content"] for turn in body["messages"]] == ["Be brief.", "q0", "x", "q1"]
    assert body["tools"] == [{"type": "function"}]


def test_examples_and_template_stand_before_and_around_the_question(server, local_step):
    step = local_step()
    evaluation = evaluate(server, step, rows(3), num_fewshot=2, template="Q: {question}!", system="Be brief.", max_not_scored=1)
    turns = [(turn["role"], turn["content"]) for turn in server.seen[0]["messages"]]
    assert turns == [
        ("system", "Be brief."), ("user", "Q: q0!"), ("assistant", "answer 0"), ("user", "Q: q1!"), ("assistant", "answer 1"),
        ("user", "Q: q2!"),
    ]  # fmt: skip
    assert [sample["question"] for sample in evaluation.samples] == ["q2"]
    told = json.loads((step.output / "asked.json").read_text())
    assert told["questions"] == 1
    other = local_step()
    evaluate(server, other, rows(3), num_fewshot=1, max_not_scored=1)
    assert json.loads((other.output / "asked.json").read_text())["digest"] != told["digest"]


def test_what_could_not_be_scored_is_counted_and_is_no_wrong_answer(server, local_step):
    server.answers |= {
        "q0": ("The answ", "length"), "q1": ("Rome, surely, and", "length"), "q2": "<think>so, answer 2", "q3": ("", "content_filter"),
        "q4": "<think>is it answer 5?</think>\nAnswer 4",
    }  # fmt: skip
    step = local_step()
    evaluation = evaluate(server, step, rows(5), max_not_scored=0.6)
    assert outcomes(evaluation) == ["truncated", False, "unparsed", "failed", True]
    assert [evaluation.metrics[name] for name in ("scored", "failed", "truncated", "unparsed")] == [2, 1, 1, 1]
    assert evaluation.metrics["exact_match"] == 0.5
    assert any(level == "warning" and "3 of 5 questions have no score" in text for level, text in step.reports.logs)
    with pytest.raises(TunesmithError, match="TS-EVAL-001"):
        evaluate(server, local_step(), rows(5))


def test_an_answer_is_taken_out_of_a_text_and_what_has_none_is_unparsed(server, local_step):
    server.answers |= {"q0": "First 7, then: answer 0", "q1": "I can't say"}
    evaluation = evaluate(server, local_step(), rows(3), extract=r"answer \d+", max_not_scored=0.5)
    assert outcomes(evaluation) == [True, "unparsed", True]


def test_a_refused_request_failed_and_the_others_go_on(server, local_step):
    server.before = lambda number: (400, '{"error": {"message": "too long"}}') if number == 2 else None
    evaluation = evaluate(server, local_step(), rows(4), concurrency=1, max_not_scored=0.25)
    assert (evaluation.metrics["failed"], evaluation.metrics["exact_match"]) == (1, 1.0)
    assert "too long" in evaluation.samples[1]["why"]


def test_a_resumed_step_asks_only_for_what_is_missing(server, local_step):
    step = local_step()
    server.before = lambda number: (500, "down") if number > 6 else None
    with pytest.raises(TunesmithError, match="TS-SERVE-020"):
        evaluate(server, step, rows(10), concurrency=1, max_retries=0)
    with open(step.work / KEPT, "a") as kept:
        kept.write('{"name": "torn')
    server.before, before = lambda number: None, len(server.seen)
    (step.work / "rows").rename(step.work / "earlier")
    evaluation = evaluate(server, step, rows(10), concurrency=1)
    asked = {body["messages"][-1]["content"] for body in server.seen[before:]}
    assert {f"q{n}" for n in range(6, 10)} <= asked
    assert not asked & {f"q{n}" for n in range(6)}
    assert evaluation.metrics["exact_match"] == 1.0
    assert not (step.work / KEPT).exists()


def test_drawn_answers_have_the_steps_seed(server, local_step):
    evaluate(server, local_step(), rows(2), temperature=0.7, concurrency=1)
    assert [body["seed"] for body in server.seen] == [server.seen[0]["seed"], server.seen[0]["seed"] + 1]


def test_an_adapter_that_is_served_beside_its_base_can_be_asked(server, local_step):
    evaluate(server, local_step(), rows(1), model="polite")
    assert server.seen[0]["model"] == "polite"
    server.before = lambda number: (404, json.dumps({"error": {"message": "there is no `polit`"}}))
    with pytest.raises(TunesmithError) as caught:
        evaluate(server, local_step(), rows(1), model="polit")
    assert "there is no `polit`" in caught.value.why
    assert "setting `model`: m" in caught.value.fix


def test_questions_are_under_way_together_and_answers_keep_their_order(server, local_step):
    together = threading.Barrier(8)  # the first eight are answered only once all of them are here
    server.before = lambda number: together.wait(10) and None if number <= 8 else None
    evaluation = evaluate(server, local_step(), rows(20), concurrency=8)
    assert [sample["question"] for sample in evaluation.samples] == [f"q{n}" for n in range(20)]
    assert evaluation.metrics["exact_match"] == 1.0


@pytest.mark.parametrize("stumble", [(503, "busy"), (429, "slow down"), (None, None)])
def test_a_server_that_stumbles_is_asked_again(server, local_step, stumble):
    server.before = lambda number: stumble if number <= 3 else None
    assert evaluate(server, local_step(), rows(2)).metrics["exact_match"] == 1.0


@pytest.mark.parametrize(("reply", "code", "why"), [
    ((500, "boom"), "TS-SERVE-020", "HTTP 500: boom"),
    ((None, None), "TS-SERVE-020", "closed"),
    ((401, '{"error": {"message": "no key"}}'), "TS-SERVE-021", "HTTP 401: no key"),
    ((200, "<html>"), "TS-SERVE-022", "<html>"),
    ((200, '{"choices": []}'), "TS-SERVE-022", "choices"),
])  # fmt: skip
def test_a_server_that_fails_is_an_error_and_not_a_wrong_answer(server, local_step, reply, code, why):
    server.before = lambda number: reply
    with pytest.raises(TunesmithError) as caught:
        evaluate(server, local_step(), rows(2), max_retries=2)
    assert caught.value.code == code
    assert why in caught.value.why


def test_no_server_is_an_error(server, local_step, tmp_path):
    endpoint = server.endpoint
    server.shutdown()
    server.server_close()
    with pytest.raises(TunesmithError, match="TS-SERVE-020"):
        Generation(GenerationSettings(max_retries=1)).evaluate(endpoint, dataset(tmp_path / "rows", rows(1)), local_step())


def test_cancelling_does_not_wait_for_answers(server, local_step):
    step = local_step()
    server.before = lambda number: step.cancelled.set() or time.sleep(5)
    with pytest.raises(Cancelled):
        evaluate(server, step, rows(4))


@pytest.mark.parametrize(("data", "code"), [
    (None, "TS-DATA-040"), ([], "TS-DATA-040"), ([{"messages": [message("user", "q")]}], "TS-DATA-041"),
    ([{"messages": [message("assistant", "hi")]}], "TS-DATA-041"),
    ([{"messages": [message("user", [{"type": "image", "path": "a.png"}]), message("assistant", "cat")]}], "TS-DATA-042"),
])  # fmt: skip
def test_rows_that_can_not_be_asked_are_told(server, local_step, data, code):
    with pytest.raises(UserError, match=code):
        evaluate(server, local_step(), data)


@pytest.mark.parametrize("settings", [
    {"template": "no place"}, {"metrics": ["meteor"]}, {"metrics": []}, {"metrics": ["bleu", "bleu"]}, {"extract": "("},
    {"metrics": ["regex"], "pattern": "["}, {"metrics": ["json_schema"], "schema": {"type": "nonsense"}},
])  # fmt: skip
def test_settings_that_mean_nothing_are_refused_before_anything_is_asked(server, local_step, settings):
    with pytest.raises(UserError, match="TS-EVAL-002"):
        evaluate(server, local_step(), rows(1), **settings)
    assert server.seen == []
