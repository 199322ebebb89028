"""An endpoint that writes the completions: whether it can take what is trained, and its memory. Standard library and contracts only."""

from __future__ import annotations

from tunesmith.contracts import EstimateRequest, UserError

SAMPLER = "sampler"  #: an input of the step
ADAPTER, WHOLE = "adapter/peft", "model/hf"  #: formats of what it is given
_OWN = "Leave `sampler` out: then the training step writes completions itself, on the weights as they are."


def check_sampler(request: EstimateRequest) -> tuple[tuple[str, str], ...]:
    """What the plan says of it; nothing where there is none.

    Raises:
        UserError: TS-TRAIN-132 where it can't take what is trained, TS-TRAIN-133 where it would take nothing, TS-TRAIN-135 where it serves
            another model.
    """
    if SAMPLER not in request.inputs:
        return ()
    served, whole = request.models.get(SAMPLER, {}), "adapter/peft" not in request.facts.get("produces", ())
    takes = served.get("facts", {}).get("takes", (ADAPTER, WHOLE))  # of an endpoint that no step of this pipeline serves it is not known
    if whole and WHOLE not in takes:
        raise untakeable("whole weights", "Its backend takes adapters while it runs, not whole models.")
    if not whole and request.facts.get("low_rank") is not True:
        raise untakeable("such an adapter", "Engines compute plain low-rank updates beside their base (`adapter: lora`), and no others.")
    if request.parts.get("adapter", {}).get("quantized"):
        raise untakeable("an adapter of a base in fewer bits", "It serves the base as it is stored, which computes something else.")
    if "settings" in served and not served["settings"].get("updatable"):
        raise UserError(
            "TS-TRAIN-133", "the `sampler` is served with the weights that it has, and these change as the model learns",
            why="A serving step takes weights while it runs where it is told to.",
            fix="Write it as a step of its own, `writer: {serve: vllm, settings: {updatable: true}}`, and name that.",
        )  # fmt: skip
    if served.get("config") and request.config and dict(served["config"]) != dict(request.config):
        raise another_model("The model that it serves has another configuration.")
    memory = float(served.get("memory") or 0.0) / 2**30
    together = f"{memory:.1f} GiB of it are the sampler's" if memory else "the sampler's is not known"
    return (
        ("its memory and the sampler's are counted together", f"both live while it trains; {together}"),
        (
            "completions are written by another program",
            "a run that goes on after it was killed is the same in distribution, not to the byte: what an engine computes depends on what "
            "else it computes at the time. Without `sampler` it would be the same to the byte",
        ),
    )


def another_model(why: str) -> UserError:
    return UserError(
        "TS-TRAIN-135", "the `sampler` serves another model than the one that is trained", why=why,
        fix="Give both steps the same `from`. Where an adapter is trained further, that of the serving step is the adapter's base.",
    )  # fmt: skip


def sampler_memory(request: EstimateRequest) -> dict[str, float]:
    """Bytes that it takes beside the training step, for as long as that runs; each process counts its share."""
    found = float(request.models.get(SAMPLER, {}).get("memory") or 0.0)
    return {SAMPLER: found / max(1, request.processes)} if found else {}


def untakeable(what: str, why: str) -> UserError:
    return UserError("TS-TRAIN-132", f"a `sampler` can't take {what} while it runs", why=why, fix=_OWN)
