"""Records the wizard in a real pseudo-terminal, from nothing to a chat with a tuned SmolLM2, as an asciinema cast and as text.

    python tools/record_wizard.py en zh

Somebody sits in an empty folder with twenty rows, has a recommendation, changes a setting of it, runs the pipeline and talks to what came
of it. Nothing is staged: what is shown is what the programs wrote. The folder's name is written otherwise, and the player cuts long waits
short (`idle_time_limit`).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "plugins/verb/wizard/tests"))

from terminal_session import DOWN, ENTER, TerminalSession  # noqa: E402

FOLDER = ROOT / "docs" / "recordings"
CITIES = {
    "Freedonia": "Fredville", "Sylvania": "Sylvopolis", "Ruritania": "Strelsau", "Borduria": "Szohod", "Syldavia": "Klow",
    "Latveria": "Doomstadt", "Zubrowka": "Lutz", "Genovia": "Pyrus", "Elbonia": "Elb", "Grandalia": "Dorn",
}  # fmt: skip
FORMS = ("What is the capital of {}?", "Which city is the capital of {}?")
COLUMNS, LINES = 80, 40
#: what the questions begin with, by language
ASKED = {
    "en": ("What would you like", "Which file holds", "What matters most", "How long may", "Is that what", "What shall be otherwise",
           "A setting of train", "num_train_epochs:", "Which file shall hold", "Run it now", "Talk to it now"),
    "zh": ("您想做什么", "您的样本在哪个文件里", "您最看重什么", "训练最多可以用多长时间", "这样可以吗", "要改哪一项？", "要改 train",
           "num_train_epochs：", "流水线写进哪个文件", "现在运行吗", "现在就和它聊聊吗"),
}  # fmt: skip


def record(language: str) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary) / "capitals"
        folder.mkdir()
        rows = [
            {"instruction": form.format(land), "output": f"The capital of {land} is {city}."}
            for land, city in CITIES.items()
            for form in FORMS
        ]
        (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        heard: list[tuple[float, str]] = []
        variables = {"TUNESMITH_LANG": language, "LANG": "C.UTF-8"}
        session = TerminalSession(
            [str(Path(sys.executable).with_name("tunesmith"))], folder, variables, columns=COLUMNS, lines=LINES,
            heard=lambda at, text: heard.append((at, text)),
        )  # fmt: skip
        began = time.monotonic()
        want, data, goal, budget, accept, otherwise, setting, epochs, file, run, talk = ASKED[language]
        session.answer(want, "2", 120)
        session.type(ENTER)
        session.answer(data, "train.jsonl" + ENTER, 120)
        session.answer(goal, ENTER, 120)
        session.answer(budget, ENTER, 120)
        session.answer(accept, "2", 600)
        session.type(ENTER)
        _choose(session, otherwise, "tune.settings")
        _choose(session, setting, "num_train_epochs")
        session.answer(epochs, "\x15" + "10" + ENTER, 120)
        session.answer(setting, ENTER, 120)
        session.answer(accept, ENTER, 600)
        session.answer(file, ENTER, 120)
        session.answer(run, ENTER, 300)
        session.answer(talk, ENTER, 1800)
        session.wait("/exit", 900)
        for words in ("What is the capital of Ruritania?", "Which city is the capital of Syldavia?", "/exit"):
            until = time.monotonic() + 1200  # on a busy machine a server takes minutes to start
            while not session.shown.endswith("\n>") and time.monotonic() < until:
                session.read()
            session.read(1)
            for letter in words:
                session.type(letter)
                session.read(0.03)
            session.type(ENTER)
            session.read(1)
        status = session.end(300)
        print(language, "status", status, f"{time.monotonic() - began:.0f} s")
        FOLDER.mkdir(exist_ok=True)
        name = FOLDER / f"wizard-{language}"
        name.with_suffix(".cast").write_text("".join(_cast(heard, temporary)), encoding="utf-8")
        name.with_suffix(".txt").write_text(session.history.replace(temporary, "/home/you") + "\n", encoding="utf-8")
        if status:
            raise SystemExit(f"{language}: status {status}")


def _choose(session: TerminalSession, question: str, option: str) -> None:
    """Go down a menu until it points to an option."""
    session.answer(question, "", 120)
    for _ in range(80):
        session.read(0.1)
        pointed = [line for line in session.shown.splitlines() if line.startswith("> ")]
        if pointed and option in pointed[-1]:
            session.type(ENTER)
            return
        session.type(DOWN)
    raise AssertionError(f"{option} is not there:\n{session.shown}")


def _cast(heard: list[tuple[float, str]], temporary: str) -> list[str]:
    head = {
        "version": 2,
        "width": COLUMNS,
        "height": LINES,
        "idle_time_limit": 1.5,
        "title": "tunesmith",
        "env": {"TERM": "xterm-256color"},
    }
    lines = [json.dumps(head) + "\n"]
    for at, text in thinned(heard):
        lines.append(json.dumps([round(at, 3), "o", text.replace(temporary, "/home/you")], ensure_ascii=False) + "\n")
    return lines


def thinned(heard: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Of a bar that is drawn anew on its line five times a second, one drawing in ten seconds: the next one covers it wholly."""
    kept: list[tuple[float, str]] = []
    for index, (at, text) in enumerate(heard):
        bar = _redraws(text) and index + 1 < len(heard) and _redraws(heard[index + 1][1])
        if not (bar and kept and _redraws(kept[-1][1]) and at - kept[-1][0] < 10):
            kept.append((at, text))
    return kept


def _redraws(text: str) -> bool:
    return text.startswith("\r\x1b[2K") and "\n" not in text


if __name__ == "__main__":
    for wanted in sys.argv[1:] or list(ASKED):
        record(wanted)
