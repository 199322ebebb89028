"""A host process to be killed: runs or resumes a pipeline of slow counts, of which two branches run beside each other, in the directory
given, and prints the digests."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

from tiny_plans import Place, plan, step

from tunesmith.errors import UserError
from tunesmith.planning.placement.machine import Machine
from tunesmith_cli.commands.resume import find_run

STEPS = (
    step("a", to=12, pause=0.03),
    step("b", reads="a", to=10, pause=0.03),
    step("c", reads="b", to=8, pause=0.03),
    step("d", reads="a", to=15, pause=0.03),
)
MACHINE = Machine(cores=2)  # room for two of them


def main() -> None:
    place = Place.at(Path(sys.argv[1]))
    run = None
    if sys.argv[2] == "resume":
        with contextlib.suppress(UserError):  # killed before it was noted, or finished already
            run, _ = find_run(place.home)
    outcome = place.run(plan=plan(*STEPS, machine=MACHINE), resume=run)
    print(json.dumps({"state": outcome.state, "digests": {name: artifact.digest for name, artifact in outcome.artifacts.items()}}))


if __name__ == "__main__":
    main()
