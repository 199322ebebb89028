"""What the two sides of an episode say to each other, without verifiers: it has an environment of its own (test_verifiers_engine)."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tunesmith.errors import UserError
from tunesmith_verifiers.environment import VerifiersEnvironment
from tunesmith_verifiers.episode import Asked, Episode, Told, plain
from tunesmith_verifiers.settings import VerifiersSettings

OPENING = [{"role": "user", "content": "What is 3 + 3?"}]
CALL = '<tool_call>{"name": "add", "arguments": {"a": 3, "b": 3}}</tool_call>'


@pytest.fixture
def loop():
    found = asyncio.new_event_loop()
    thread = threading.Thread(target=found.run_forever)
    thread.start()
    yield found
    found.call_soon_threadsafe(found.stop)
    thread.join()
    found.close()


def test_an_answer_reaches_the_side_that_asked_and_calls_are_calls(loop):
    episode = Episode(loop)

    async def plays():
        going = [await episode.ask(OPENING, [{"type": "function"}]), episode.completion]
        return [*going, await episode.ask(OPENING, []), episode.completion, await episode.ask(OPENING, [])]

    playing = asyncio.run_coroutine_threadsafe(plays(), loop)
    assert episode.said.get(timeout=5) == Asked(OPENING, [{"type": "function"}])
    assert episode.answer(f"I compute. {CALL}") == Asked(OPENING, [])
    assert episode.answer(CALL) == Asked(OPENING, [])
    loop.call_soon_threadsafe(episode._answer.set_result, None)
    first, called, second, text, third = playing.result(timeout=5)
    assert (first, second, third) == (True, True, False)
    assert called["content"] == "I compute."
    assert called["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a": 3, "b": 3}'}
    assert text == {"role": "assistant", "content": CALL}  # nobody has such a tool


def test_what_is_new_behind_the_models_answer_is_told_and_a_rewritten_conversation_is_refused():
    told = Told()
    assert told.opening(Asked(OPENING, [])) == OPENING
    further = [
        *OPENING,
        {"role": "assistant", "content": "", "tool_calls": []},
        {"role": "tool", "name": "add", "content": "6", "tool_call_id": "1"},
    ]
    assert told.further(Asked(further, [])) == [{"role": "tool", "name": "add", "content": "6"}]
    with pytest.raises(ValueError, match="rewritten"):
        told.further(Asked([{"role": "user", "content": "In short: 6."}], []))
    with pytest.raises(ValueError, match="rewritten"):
        told.further(Asked([*further, {"role": "user", "content": "And?"}], []))


def test_contents_are_texts():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert plain({"role": "user", "content": parts}) == {"role": "user", "content": "ab"}
    with pytest.raises(ValueError, match="image_url"):
        plain({"role": "user", "content": [{"type": "image_url"}]})


def test_without_a_taskset_it_is_refused():
    with pytest.raises(UserError, match="TS-REWARD-017"):
        VerifiersEnvironment(VerifiersSettings())
