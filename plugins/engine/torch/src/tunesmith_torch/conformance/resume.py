"""The check of what a training step comes to that learns from its own completions and is killed: the grade that its objective claims.

The fact ``resume`` of an objective that samples says it: ``exact`` (left out: this one) where the same completions, in the same order, get
the same scores and losses in every process, so that a run on a processor comes to the same bytes; ``statistical`` where what scores them
does not repeat itself (a sandbox with a clock, a judge at a temperature), so that a run only comes to one like it.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith_sdk.conformance import CheckFailed, NotRun, Subject, check
from tunesmith_sdk.conformance.bench.subject import contents, differing
from tunesmith_torch.conformance import resume_process

KILLS = 2  # of one run, one after the other
STEPS = (1, 2)  # that a process has made when it is killed
SOON = 0.5  # seconds after such a step in which the kill comes: some of the next one is done
GRADES = ("exact", "statistical")


@check(
    "objective.resumes",
    kind="objective",
    level="gold",
    when=lambda record: bool(record.facts.get("sampler")),
    title="killed at random while the model learns from its completions, it comes to what its record claims",
)
def resumes(subject: Subject) -> None:
    claimed = str(subject.record.facts.get("resume", GRADES[0]))
    if claimed not in GRADES:
        raise CheckFailed(f"its record claims to resume `{claimed}`", fix=f"The fact `resume` is one of {', '.join(GRADES)}.")
    if missing := [part[-1] for part in resume_process.PARTS.values() if find_spec(part[0].partition(".")[0]) is None]:
        raise NotRun(f"what it would be composed with is not here: {', '.join(missing)}", where=f"pip install {' '.join(missing)}")
    whole, again = subject.folder("whole"), subject.folder("again")
    _run(subject, whole)
    drawn, places = random.SystemRandom(), []
    for _ in range(KILLS):
        places.append((drawn.choice(STEPS), round(drawn.uniform(0, SOON), 3)))
        _run(subject, again, *places[-1])
    _run(subject, again)
    killed = " and ".join(f"{delay:g} s after its step {steps}" for steps, delay in places)
    subject.notes["killed"] = killed
    twice = [key for key, count in Counter(_completions(again)).items() if count > 1]
    if twice or set(_completions(whole)) != set(_completions(again)):
        raise CheckFailed("after a kill the ledger does not have each completion once", found=str(twice[:3]),
                          fix="Leave the ledger to the engine.")  # fmt: skip
    if claimed == "exact" and (found := differing(_kept(whole), _kept(again))):
        raise CheckFailed(
            "killed and begun again, it ends with other weights or rollouts than in one go", found=f"{found}; killed {killed}",
            fix="Let `score` and `learn` be functions of their arguments, and keep what goes on in the state; where what scores does not "
            "repeat itself, declare the fact `resume: statistical`.",
        )  # fmt: skip


def _run(subject: Subject, home: Path, steps: int = 0, delay: float = 0.0) -> None:
    """Train to the end, or until it is killed, so many seconds after so many steps of this process.

    Raises:
        CheckFailed: it fails.
    """
    source, record = subject.source(), subject.record
    asked = {
        "target": record.target, "settings": record.settings, "distribution": record.distribution, "format": source.format,
        "values": {**subject.values, **(subject.asked("learning") or {})}, "rows": str(source.path),
        "model": str(subject.material("blank")), "home": str(home),
    }  # fmt: skip
    words = [sys.executable, "-m", resume_process.__name__, json.dumps(asked)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with (home / "stderr").open("w+", encoding="utf-8") as errors:
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process:
            assert process.stdout is not None
            for told, _ in enumerate(process.stdout):  # before the first step, and behind each
                subject.step.check_cancelled()
                if steps and told == steps:
                    time.sleep(delay)
                    process.kill()
        errors.seek(0)
        if process.returncode not in (0, *([-9] if steps else [])):
            raise CheckFailed("it can't learn from the completions of the kit's tiny model", found=errors.read()[-400:],
                              fix="Where it has to be told something, its author's `learning` gives the settings.")  # fmt: skip


def _completions(home: Path) -> list[tuple[int, ...]]:
    lines = gzip.decompress((home / "output" / "rollouts.jsonl.gz").read_bytes()).splitlines()
    told: list[Mapping[str, Any]] = [json.loads(line) for line in lines]
    return [(line["collection"], line["row"], line["sample"], line.get("attempt", 0)) for line in told]


def _kept(home: Path) -> dict[str, str]:
    """File -> its content's digest, of what is the same in each run: reports have times in them."""
    return {name: digest for name, digest in contents(home / "output").items() if name.endswith((".safetensors", ".jsonl.gz"))}
