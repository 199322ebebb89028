"""The wizard in a real pseudo-terminal of 80 columns, in both languages: what is on the screen, and Ctrl-C at each question."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from tunesmith_cli.api import text_width

from .terminal_session import CTRL_C, DOWN, ENTER, TerminalSession

pytestmark = pytest.mark.slow

TEXTS = {
    "en": ["What would you like to do?", "Which model?", "Its address, or its folder?", "Which engine shall answer?",
           "Which file shall hold the pipeline?", "Talk to it now?"],
    "zh": ["您想做什么？", "哪个模型？", "它的地址或文件夹？", "由哪个引擎来回答？", "流水线写进哪个文件？", "现在就和它聊聊吗？"],
}  # fmt: skip
STOPPED = {"en": "nothing is lost", "zh": "什么都没有丢"}
GO_ON = {"en": "go on where you stopped", "zh": "从上次停下的地方继续"}


@pytest.fixture
def sit(tmp_path: Path, cache: Path):
    """Sit down in front of it, in a language."""
    sessions = []

    def begin(language: str, **variables: str) -> TerminalSession:
        told = {"TUNESMITH_LANG": language, "TUNESMITH_CACHE": str(cache), "TUNESMITH_OFFLINE": "1", **variables}
        sessions.append(TerminalSession([str(Path(sys.executable).with_name("tunesmith"))], tmp_path, told))
        return sessions[-1]

    yield begin
    for session in sessions:
        session.kill()


def answer(session: TerminalSession, language: str, model: Path, until: int) -> None:
    """Answer so many questions of somebody who wants to chat with a model of their own."""
    keys = [None, "other", f"file://{model}" + ENTER, ENTER, "\x15chat.yaml" + ENTER]
    for text, typed in list(zip(TEXTS[language], keys, strict=False))[:until]:
        session.wait(text, 180)
        session.read(0.3)
        if typed is None:
            point(session, TEXTS[language][0], {"en": "chat with a model", "zh": "和模型聊天"}[language])
        elif typed == "other":
            point(session, text, {"en": "another one", "zh": "别的模型"}[language])
        else:
            session.type(typed)
    session.wait(TEXTS[language][until], 180)
    session.read(0.3)


def point(session: TerminalSession, question: str, option: str) -> None:
    for _ in range(30):
        session.read(0.2)
        pointed = [line for line in session.shown.splitlines() if line.startswith("> ")]
        if pointed and option in pointed[-1]:
            session.type(ENTER)
            return
        session.type(DOWN)
    raise AssertionError(f"{option} is not there:\n{session.shown}")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_ctrl_c_at_each_question_loses_nothing(sit, language, model, tmp_path):
    for question in range(len(TEXTS[language])):
        session = sit(language)
        if question:
            session.wait(TEXTS[language][0], 180)
            answer(session, language, model, question)
        else:
            session.wait(TEXTS[language][0], 180)
            session.read(0.3)
        session.type(CTRL_C)
        assert session.end() == 130
        if question:
            assert STOPPED[language] in session.history.replace("\n", "")
    session = sit(language)
    session.wait(GO_ON[language], 180)
    session.answer(TEXTS[language][0], ENTER)
    session.wait(TEXTS[language][-1], 180)
    assert yaml.safe_load((tmp_path / "chat.yaml").read_text())["model"] == f"file://{model}"
    too_wide = [line for line in session.history.splitlines() if text_width(line) > 80]
    assert not too_wide
    session.type(DOWN + ENTER)
    assert session.end() == 0


def test_no_color_is_kept(sit):
    session = sit("en", NO_COLOR="1")
    session.wait("What would you like to do?", 180)
    session.read(0.5)
    assert "\x1b[3" not in session.all
    assert "\x1b[1m" not in session.all.partition("? What")[0]


def test_a_dumb_terminal_has_numbered_lines(sit):
    session = sit("zh", TERM="dumb")
    session.answer("您想做什么？", "7" + ENTER, 180)
    assert session.end() == 0
    assert "\x1b" not in session.all
    assert " 7) 离开" in session.all
