"""How many processes a machine and a batch have work for. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Iterator

from tunesmith.contracts import EstimateRequest, UserError

SHARED = "cpu"  # the device backend on which several processes share a device: each has some of its cores


def check_devices(request: EstimateRequest) -> None:
    """
    Raises:
        UserError: TS-TRAIN-077 for more processes than devices, where each process takes one of its own. Of devices that are neither here
            nor named nothing is known, their number neither.
    """
    count, here = request.processes, len(request.devices)
    if request.device == SHARED or not here or count <= here or not all(device.name for device in request.devices):
        return
    name = request.devices[0].name
    raise UserError(
        "TS-TRAIN-077", f"{count} processes need {count} devices, and there {'is 1' if here == 1 else f'are {here}'} ({name})",
        why=f"On `{request.device}` each process takes a device of its own.",
        fix=f"Set `num_processes` to {here} at most, or leave the strategy to the plan (`strategy: auto`); for a machine with more of them "
        f"`tunesmith plan --on {count}xCARD` and `tunesmith estimate --on {count}xCARD` reckon.",
    )  # fmt: skip


def without_rows(request: EstimateRequest, rows: float) -> Iterator[str]:
    """That some processes never have a row, where a batch has fewer than it is divided into.

    Args:
        rows: of a batch.
    """
    strategy = request.parts.get("strategy", {})
    shares = strategy.get("data", float(request.processes))
    if rows >= shares:
        return
    idle = round((shares - rows) * request.processes / shares)
    some = f"{idle} of {request.processes} processes never {'has' if idle == 1 else 'have'} a row: a batch has {rows:.0f}"
    use = "they hold a part of the model alone" if "parameters" in strategy else "they bring nothing"
    yield f"{some}, and {use} (`batch_size` counts rows over all processes)"
