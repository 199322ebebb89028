"""Contract of kind ``artifact_check``: looks at what a step has made before it is published.

Every step that makes a model or an adapter of something has a slot ``check`` for one, whoever wrote its verb and its providers
(`tunesmith.contracts.Kind.examines`). It is called in the step's process, where the libraries are that made the artifact. Facts of a verb
or of its main provider that tell it what was meant:

- ``edge``: ``convert`` (the same weights in other files or numbers), ``update`` (trained ones, which must have changed) or ``quantize``
  (in fewer bits). Left out: by the artifact's config, and no update.
- ``not_compared``: why what it makes can't be held against what it was made from by what both compute, as a clause; left out: it can.

Estimator: it says in the plan what the check will look at.
"""

from __future__ import annotations

from typing import Protocol

from tunesmith.contracts.artifacts import Result
from tunesmith.contracts.step import Step


class ArtifactCheck(Protocol):
    """Looks at what lies in `step.output`."""

    def check(self, step: Step, result: Result) -> Result:
        """The result to publish, with what was found in its `meta`.

        Raises:
            TunesmithError: why it is not published, which is no mistake of the user's; the files are kept in `step.work`, and the
                error says where.
        """
