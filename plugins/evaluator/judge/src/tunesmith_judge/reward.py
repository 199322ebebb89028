"""The reward `judge`: a mark from 0 to 1 for a completion; None where the judgement can't be read. A server that fails has failed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tunesmith_generation.api import answer_of
from tunesmith_judge.endpoint import judge_endpoint
from tunesmith_judge.judgement import body, mark, rubric_messages
from tunesmith_judge.settings import JudgeRewardSettings
from tunesmith_rewards.api import column
from tunesmith_serve import Endpoint


class JudgeReward:
    def __init__(self, settings: JudgeRewardSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(settings.concurrency, "judging")
        self._found: Endpoint | None = None

    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float | None:
        settings = self.settings
        reference = str(column(row, settings.column)) if settings.column else ""
        messages = rubric_messages(asked(prompt, row), completion, settings.rubric, settings.scale, reference)
        reply = self._endpoint().ask("/chat/completions", body(messages, settings.judge_max_tokens))
        said = answer_of(reply)
        return None if said.missing or said.cut else mark(said.text, settings.scale)

    def _endpoint(self) -> Endpoint:
        """Looked for once, when the first completion is judged."""
        settings = self.settings
        with self._lock:
            if self._found is None:
                subject = judge_endpoint(settings.url, settings.judge_model, settings.timeout)
                self._found = Endpoint(subject, timeout=settings.timeout, retries=settings.max_retries, shorten="judge_max_tokens")
            return self._found

    def score_batch(self, prompts: Sequence[str], completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Sequence[float | None]:
        return list(self._pool.map(self.score, prompts, completions, rows))


def asked(prompt: str, row: Mapping[str, Any]) -> str:
    """The question as the row has it, without the marks of a chat template: a text, or the turns of a conversation."""
    own = row.get("prompt")
    if isinstance(own, str):
        return own
    if isinstance(own, list):
        return "\n\n".join(f"[{turn.get('role')}] {_text(turn.get('content'))}" for turn in own if isinstance(turn, Mapping))
    return prompt


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, Mapping))
    return str(content or "")
