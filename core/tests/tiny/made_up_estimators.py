"""The code that the planner calls of the made-up plugins: estimators, and a reader of files of rows."""

from __future__ import annotations

import json
from typing import Any

from tunesmith.contracts import Estimate
from tunesmith.contracts.artifacts import fits
from tunesmith.contracts.kinds.input_reader import InputFile, InputRequest, InputStep, PlannedInput, Planner
from tunesmith.contracts.untrusted_files import path_of, unreadable
from tunesmith.errors import UserError
from tunesmith_models import ModelShape


def trainable(request: Any) -> dict[str, float]:
    return {"trainable": 1000.0 * request.settings["angle"]}


def teach(request: Any) -> Estimate:
    parameters = _parameters(request)
    return Estimate(
        {"weights": 4.0 * parameters, "optimizer": 8.0 * request.parts.get("adapter", {}).get("trainable", parameters)}, disk=5000.0
    )


def kettle(request: Any) -> Estimate:
    return Estimate({"weights": 2.0 * _parameters(request)})


def _parameters(request: Any) -> int:
    shape = ModelShape.of(request)
    return shape.parameters if shape else 0


class Files:
    """A file of rows becomes one step in the first format that has its columns."""

    def read(self, request: InputRequest, planner: Planner) -> PlannedInput | None:
        if not isinstance(request.written, str):
            return None
        path = path_of(request.written, planner.base)
        try:
            file, lines = InputFile(path, planner.digest_of(path)), path.read_text().splitlines()
        except (OSError, ValueError) as error:
            raise unreadable(path, request.written, error) from error
        columns = set(json.loads(lines[0]))
        having = [format for format in planner.installed("dataset_format").values() if set(format.facts["row"]["required"]) <= columns]
        able = [(each, format) for each in having for format in each.produces if fits(format, request.formats)]
        if not able:
            raise UserError("TS-DATA-005", f"{request.written} has rows that {request.reader} can't use", fix="Give others.")
        record, format = max(able, key=lambda found: len(found[0].facts["row"]["required"]))
        reason = f"{request.reader} reads {format}"
        size = path.stat().st_size
        step = InputStep("gather", f"data:{path.stem}", {"file": file}, format, {}, {"dataset_format": record.name}, 0, 1.5 * size, reason)
        facts = {"rows": len(lines), "characters": 2 * len(lines), "media": {}, "first": ()}
        return PlannedInput((step,), size=size, facts=facts)
