"""The process in which plugins' estimators and device probes run: ``python -m tunesmith.planning.estimates.estimator_process``.

It reads a question a line from stdin, ``[kind, target, distribution, request]``, and answers each with a line: ``{"answer"}``, or why there
is none: ``{"refused"}``, the `UserError` that an estimator raised, or ``{"failed"}``, a sentence. What plugins print is thrown away.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from typing import Any

from tunesmith.errors import TunesmithError, UserError

ESTIMATE, DEVICES, VARIANTS = "estimate", "devices", "variants"
LONGEST = 120  # seconds after which a question ends the process, in case the one who asked has died


def serve(questions: int, answers: int) -> None:
    """Answer until there are no more questions.

    Args:
        questions, answers: file descriptors.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    with open(questions, encoding="utf-8") as asked, open(answers, "w", encoding="utf-8") as told:
        for number in (0, 1, 2):
            os.dup2(null, number)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in ((0, "r"), (1, "w"), (2, "w")))
        for line in asked:
            signal.alarm(LONGEST)
            answer = _answered(*json.loads(line))
            signal.alarm(0)
            told.write(f"{answer}\n")
            told.flush()


def _answered(kind: str, target: str, distribution: str, request: Any) -> str:
    try:
        return json.dumps({"answer": _answer(kind, target, distribution, request)})
    except UserError as error:
        return json.dumps({"refused": error.to_json()})
    except TunesmithError as error:
        return json.dumps({"failed": error.what})
    except (Exception, SystemExit) as error:
        return json.dumps({"failed": f"{type(error).__name__}: {error}"})


def _answer(kind: str, target: str, distribution: str, request: Any) -> Any:
    from tunesmith.contracts.estimates import Estimate, EstimateRequest
    from tunesmith.isolation.provider_import import build_provider, load
    from tunesmith.planning.dataclass_json import build, plain

    asked = load(target, distribution)
    if kind == DEVICES:
        return [plain(device) for device in asked().probe()]
    if kind == VARIANTS:
        return [plain(dict(settings)) for settings in asked(build(EstimateRequest, request))]
    choices = request.pop("choices")
    given = asked(replace(build(EstimateRequest, request), provider=lambda slot: build_provider(*choices[slot])))
    if given is None or isinstance(given, Estimate):
        return {"estimate": plain(given)}
    return {"parts": {str(name): float(value) for name, value in given.items()}}


def main() -> None:
    serve(os.dup(0), os.dup(1))


if __name__ == "__main__":
    main()
