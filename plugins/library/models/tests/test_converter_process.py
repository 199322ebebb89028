"""Another project's converter: quoted when it gives up, ended with its step."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

from tunesmith.contracts import Cancelled, TunesmithError
from tunesmith_models.converter_process import complaint, run_converter

run = partial(run_converter, whose="llama.cpp", fix="Take another model.")


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "INFO:hf-to-gguf:Loading\nERROR:hf-to-gguf:Model AbacusForCausalLM is not supported\n",
            "Model AbacusForCausalLM is not supported",
        ),
        ("Traceback\n  x\nNotImplementedError: BPE pre-tokenizer was not recognized\n", "BPE pre-tokenizer was not recognized"),
        ("half a line", "it ended with status 3; its last line: half a line"),
        ("", "it ended with status 3"),
    ],
)
def test_a_converter_that_gives_up_is_quoted(tmp_path: Path, said: str, reason: str):
    log = tmp_path / "log"
    log.write_text(said)
    assert complaint(log, 3) == reason
    with pytest.raises(TunesmithError, match="TS-MODEL-010") as caught:
        run(python(f"import sys; sys.stderr.write({said!r}); sys.exit(3)"), log, lambda: None)
    assert caught.value.why.rstrip(".") == reason


def test_a_converter_that_was_killed_is_told_from_one_that_gave_up(tmp_path: Path):
    assert complaint(_log(tmp_path, ""), -9) == "it was ended by signal 9"


def test_what_is_cancelled_leaves_no_converter_behind(tmp_path: Path):
    import psutil

    def cancel() -> None:
        raise Cancelled("file")

    before = psutil.Process().children()  # of other tests
    with pytest.raises(Cancelled):
        run(python("import time; time.sleep(600)"), tmp_path / "log", cancel)
    assert psutil.Process().children() == before


def _log(folder: Path, text: str) -> Path:
    (folder / "log").write_text(text)
    return folder / "log"
