"""A good minimal tracker: a line of JSON for all that it is told."""

import json
import threading  # noqa: F401


class Provider:
    def run_started(self, run):
        self.path = run.directory / "told.jsonl"

    def metrics_reported(self, step, points):
        for point in points:
            self._write(series=point.name, value=point.value, at=point.at)

    def step_finished(self, step):
        self._write(step=step.name, settings=step.parameters(), metrics=dict(step.metrics))

    def step_failed(self, step, error):
        self._write(failed=step.name, code=error.code)

    def run_finished(self, run, view):
        self._write(state=view.row.state)

    def _write(self, **told):
        with self.path.open("a") as lines:
            lines.write(json.dumps(told) + "\n")
