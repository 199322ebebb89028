"""The reference's log-probabilities of all rows, computed once: training then makes no pass of the reference, and a later run of the same
rows and the same reference, whatever its other settings, does not even load it.

They lie in the step's cache. Which they are follows from what they are computed of: the models, the tokens with their labels, the dtype.
Where several processes train, each computes a share, and the first writes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from tunesmith.contracts import Adapter, Artifact, BringsBase, Mesh, Step, TrainerStrategy
from tunesmith_models import compute_type
from tunesmith_torch.api import Group, Objective
from tunesmith_torch.data.micro_batch import micro_batches
from tunesmith_torch.data.multimodal.limits import MediaLimits
from tunesmith_torch.data.reference_log_probs import RECIPE, STARTS, VALUES, ReferenceLogProbs, labels_of
from tunesmith_torch.data.truncation import TruncatedRows
from tunesmith_torch.estimate.precomputed_reference import SETTING, without_reference
from tunesmith_torch.training.checkpoint.ranks import Ranks
from tunesmith_torch.training.loss.batch_loss import BatchLoss
from tunesmith_torch.training.trainable_model import REFERENCE

FORMAT = 1  #: of the files; another one is made anew
KEPT = 8  # results that the cache holds
TOGETHER = 64  # rows that are computed before they are written
_OF_TOKENS = ("tokens", "labels", "sequences", "groups")  # files of a tokenized dataset that say what is computed


class PrecomputedReferences:
    """Of the rows of each of a step's inputs; of none, where the settings don't ask for it."""

    def __init__(self, found: Sequence[PrecomputedReference], step: Step, ranks: Ranks) -> None:
        self._found, self._step = found, step
        self._there = [ranks.all(one.result.there) for one in found]

    @property
    def complete(self) -> bool:
        """Whether all is known, so that the reference has nothing to compute."""
        return bool(self._found) and all(self._there)

    def compute(self, batch_loss: Callable[[Group], BatchLoss], mesh: Mesh, strategy: TrainerStrategy) -> None:
        """What is not known yet.

        Args:
            batch_loss: of one group as an example.
        """
        for one, there in zip(self._found, self._there, strict=True):
            what = f"the reference's log-probabilities of {len(one.rows)} rows {'found from an earlier run' if there else 'computed once'}"
            self._step.decide(what, f"{SETTING}: training makes no pass of the reference")
            if not there:
                one.compute(batch_loss(one.rows[0]), mesh, strategy)

    def given_to(self, *parts: TruncatedRows) -> None:
        """From now on rows have them."""
        for part in parts:
            for one in self._found:
                if one.rows.rows is part.rows:
                    part.reference = one.result


def precomputed_references(
    read: Mapping[str, TruncatedRows], step: Step, objective: Objective, adapter: Adapter, ranks: Ranks, *, media: bool
) -> PrecomputedReferences:  # fmt: skip
    """
    Args:
        read: all rows by the step's input that they come from.
        media: whether they may have images or sounds.

    Raises:
        UserError: TS-TRAIN-074 when the settings ask for it and the objective has no reference.
    """
    if not step.settings.precompute_ref_log_probs:
        return PrecomputedReferences((), step, ranks)
    if not objective.asks.reference:
        raise without_reference(type(objective).__name__)
    found = [PrecomputedReference(rows, step.inputs[name], step, objective, adapter, media=media) for name, rows in read.items()]
    return PrecomputedReferences(found, step, ranks)


class PrecomputedReference:
    """Of all rows that come from one file, before those to validate by are told from those to train on.

    Args:
        data: what the rows were read from.
        media: whether they may have images or sounds.
    """

    def __init__(self, rows: TruncatedRows, data: Artifact, step: Step, objective: Objective, adapter: Adapter, *, media: bool) -> None:
        self.rows, self._step = rows, step
        self._recipe = _recipe(rows, step, objective, adapter) | {"media": [data.digest, *MediaLimits.of(step.settings)] if media else ""}
        name = hashlib.sha256(json.dumps(self._recipe, sort_keys=True).encode()).hexdigest()[:32]
        self.result = ReferenceLogProbs(step.cache / REFERENCE / name)
        if self.result.there:
            os.utime(self.result.directory)

    def compute(self, batch_loss: BatchLoss, mesh: Mesh, strategy: TrainerStrategy) -> None:
        """By the models that are there now; every process takes part."""
        step, rows, starts = self._step, self.rows, array("q", [0])
        draft, first = self.result.directory.with_name(f".draft-{uuid.uuid4().hex}"), step.placement.rank == 0
        try:
            if first:
                draft.mkdir(parents=True)
            with open(draft / VALUES, "wb") if first else contextlib.nullcontext() as file:
                for start in range(0, len(rows), TOGETHER):
                    step.check_cancelled()
                    step.progress(start, len(rows), what="reference", unit="rows")
                    groups, sizes = rows[start : start + TOGETHER], list(rows.sizes[start : start + TOGETHER])
                    micros = micro_batches(sizes, mesh.data_size, step.settings.max_tokens_per_microbatch)[mesh.data_rank]
                    for values in _computed(batch_loss, groups, micros):
                        starts.append(starts[-1] + len(values))
                        if file is not None:
                            array("f", values.tolist()).tofile(file)
            step.progress(len(rows), len(rows), what="reference", unit="rows")
            if file is not None:
                (draft / STARTS).write_bytes(starts.tobytes())
                (draft / RECIPE).write_text(json.dumps(self._recipe, indent=1), encoding="utf-8")
                self._publish(draft)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        strategy.barrier()

    def _publish(self, draft: Any) -> None:
        """All of it at once; and the results that were not used for longest go."""
        for path in draft.iterdir():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        with contextlib.suppress(OSError):  # another run was faster
            draft.rename(self.result.directory)
        shelf = self.result.directory.parent
        found = sorted((path for path in shelf.iterdir() if not path.name.startswith(".")), key=lambda path: path.stat().st_mtime)
        for path in found[:-KEPT]:
            shutil.rmtree(path, ignore_errors=True)


def _recipe(rows: TruncatedRows, step: Step, objective: Objective, adapter: Adapter) -> dict[str, Any]:
    """What the values follow from. A base that the adapter brings itself, in fewer bits, is another model by its settings."""
    given = step.inputs.get(REFERENCE)
    brought = given is None and isinstance(adapter, BringsBase)
    tokens = hashlib.sha256()
    for name in _OF_TOKENS:
        tokens.update((rows.rows.directory / name).read_bytes())
    for taken in (rows.chosen, rows.begins, array("q", [rows.max_length])):
        tokens.update(taken.tobytes())
    return {
        "format": FORMAT, "model": (given or step.inputs["model"]).digest, "given": given is not None, "tokens": tokens.hexdigest(),
        "base": repr((type(adapter).__qualname__, getattr(adapter, "settings", None))) if brought else "",
        "measured": objective.asks.measured > 0, "dtype": compute_type(step.settings.dtype, "", step.placement, training=True)[0],
    }  # fmt: skip


def _computed(batch_loss: BatchLoss, groups: Sequence[Group], micros: Sequence[Sequence[int]]) -> Sequence[torch.Tensor]:
    """Of each group, by all processes: (labels,) of its sequences, then of its measured ones."""
    counts = [(labels_of(group.sequences), labels_of(group.measured)) for group in groups]
    found = [torch.zeros(sum(both), device=batch_loss.device) for both in counts]
    batches = batch_loss.micro_batches([[groups[at] for at in micro] for micro in micros])
    for measured in (False, True) if batch_loss.asks.measured else (False,):
        for micro, values in zip(micros, batch_loss.references(batches.of(batches.wanted, measured=measured)), strict=True):
            assert values is not None
            taken = [counts[at][measured and bool(groups[at].measured)] for at in micro]
            for at, own in zip(micro, values.split(taken) if micro else (), strict=True):
                if not measured:
                    found[at][: counts[at][0]] = own
                elif groups[at].measured:
                    found[at][counts[at][0] :] = own
    return batch_loss.sum_ranks(torch.cat(found)).cpu().split([sum(both) for both in counts])
