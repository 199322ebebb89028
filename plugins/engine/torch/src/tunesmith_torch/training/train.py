"""The verb `train`: an objective, an adapter and a strategy meet in one loop."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch

from tunesmith.contracts import Artifact, Cancelled, Explains, Mesh, Result, Step, TrainerStrategy, Training, TunesmithError
from tunesmith_models import compute_type
from tunesmith_torch.adapter.data_driven_init import begin_from_data
from tunesmith_torch.api import Interacts, LearnsFromExperience, Objective, ReadsFacts
from tunesmith_torch.data.batch_sampler import BatchSampler
from tunesmith_torch.data.chat_template.eos_tokens import all_ends, unnamed_end, write_ends
from tunesmith_torch.data.multimodal.detection import encoder_positions
from tunesmith_torch.data.multimodal.limits import MediaLimits
from tunesmith_torch.data.tokenization import tokenize
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer
from tunesmith_torch.data.tokenizer.same_tokens import check_same_tokens
from tunesmith_torch.data.truncation import TruncatedRows, truncated_rows
from tunesmith_torch.estimate.sampler import SAMPLER
from tunesmith_torch.model.head_files import write_heads
from tunesmith_torch.model.loader import copy_tokenizer, stands_alone
from tunesmith_torch.model.usage_files import write_usage
from tunesmith_torch.training.batches import Batches, RowBatches
from tunesmith_torch.training.checkpoint.ranks import Ranks
from tunesmith_torch.training.early_stopping import early_stopping
from tunesmith_torch.training.experience.collection import Collections
from tunesmith_torch.training.experience.endpoint_sampler import EndpointSampler
from tunesmith_torch.training.experience.episodes import Episodes
from tunesmith_torch.training.experience.prompts import check_objective, check_served, check_settings, positions, prompt_rows
from tunesmith_torch.training.experience.sampler import Sampler
from tunesmith_torch.training.loop import Loop
from tunesmith_torch.training.loss.batch_loss import BatchLoss
from tunesmith_torch.training.lr_scheduler import chosen_schedule
from tunesmith_torch.training.malloc import keep_freed_blocks
from tunesmith_torch.training.media_sharing import try_media_sharing
from tunesmith_torch.training.model_source import BaseWithAdapter
from tunesmith_torch.training.optimizer import builder
from tunesmith_torch.training.precomputed_reference import precomputed_references
from tunesmith_torch.training.report.completions import Completions
from tunesmith_torch.training.report.progress import Progress
from tunesmith_torch.training.report.sample_ledger import SAMPLES
from tunesmith_torch.training.seed import deterministic
from tunesmith_torch.training.trainable_model import TrainableModel, other_models
from tunesmith_torch.training.validation import validation_split

LOG = "training_log.jsonl"
_LAST = 10  # steps over which the final loss is averaged


def run(step: Step) -> Result:
    """Train and write the artifact: what the adapter saves, the losses by step in `LOG`, and the rows by step in `SAMPLES`."""
    settings, (base, begun) = step.settings, base_and_adapter(step.inputs["model"])
    objective, adapter, strategy = (step.provider(slot) for slot in ("objective", "adapter", "strategy"))
    deterministic(settings.deterministic)
    keep_freed_blocks()
    mesh = strategy.start(step.placement)
    batches: Batches | None = None
    try:
        for name in other_models(step, objective):
            check_same_tokens(base, step.inputs[name], name)
        check_served(base, step)
        chat = chat_encoder(base, limits=MediaLimits.of(settings))
        if sentence := unnamed_end(chat):
            step.log(sentence, "warning")
        groups, validation, read = _groups(step, objective, chat, base, strategy)
        ranks = Ranks(step.placement, strategy)
        known = precomputed_references(read, step, objective, adapter, ranks, media=type(chat) is not ChatTokenizer)
        sampler = BatchSampler(len(groups), settings.batch_size, step.seed)

        def begin(trainable: TrainableModel, device: torch.device) -> None:
            trainable.inputs_of = chat.inputs_of(trainable.model)
            if decision := try_media_sharing(trainable, groups, device):
                step.decide(*decision)
            if begun is None:
                begin_from_data(adapter, trainable, groups, sampler, device, step=step, max_tokens=settings.max_tokens_per_microbatch)

        source = BaseWithAdapter(base, adapter, objective, settings, step, begin, begun, reference=not known.complete)
        optimizer = step.provider("optimizer")
        schedule = chosen_schedule(step, settings, optimizer)
        training = strategy.prepare(source, builder(optimizer, adapter, settings.learning_rate, mesh.device))
        source.agree(training.model, ranks)
        source.remember_start(training.model)
        for what, reason in training.decisions if isinstance(training, Explains) else ():
            step.decide(what, reason)
        known.compute(lambda example: BatchLoss(training, objective, adapter, mesh.device, example, strategy.sum), mesh, strategy)
        known.given_to(groups, *filter(None, [validation]))
        step.log(f"training {source.trained:,} of {source.parameters:,} parameters on {len(groups)} rows")
        completions = Completions(step, objective, chat, training, mesh.device)
        batches = _batches(step, objective, groups, sampler, chat, training, strategy, mesh, positions(base))
        batch_loss = BatchLoss(
            training, objective, adapter, mesh.device, batches.example, strategy.sum, precomputed=groups.reference is not None
        )  # fmt: skip
        if isinstance(batches, Collections):
            batches.batch_loss = batch_loss
        progress = Loop(
            step, settings, training, batches, batch_loss, objective, adapter, strategy, mesh, schedule, validation, completions
        ).run()
        with training.whole() as trainable:
            if step.placement.rank == 0:
                adapter.save(trainable.model, step.output)
                if objective.asks.heads:
                    write_heads(step.output, objective.asks.heads, trainable.head_weights)
                write_usage(step.output, objective.asks.role, objective.asks.usage)
                completions.save(step.output)
                if isinstance(batches, Collections):
                    batches.ledger.save(step.output)
                _finish(step, base, progress, chat)
        strategy.barrier()
    except Cancelled:
        strategy.finish()
        raise
    finally:
        if isinstance(objective, LearnsFromExperience):
            objective.close()
        if isinstance(batches, Collections):
            batches.sampler.close()
    strategy.finish()  # not after an error: the host has to hear of that before the others miss this process
    return Result(
        refs={} if stands_alone(step.output) else {"base": base.digest},
        metrics=_metrics(progress, settings.load_best_model_at_end),
        meta={"trained_parameters": source.trained, "rows": len(groups), "end_tokens": sorted(all_ends(chat))}
        | ({"validation_rows": len(validation)} if validation else {}),
    )


def _batches(
    step: Step, objective: Objective, groups: TruncatedRows, order: BatchSampler, chat: ChatTokenizer, training: Training,
    strategy: TrainerStrategy, mesh: Mesh, context: int,
) -> Batches:  # fmt: skip
    """The rows, or what the model writes for them.

    Args:
        context: positions that the model has; 0 where that is not known.
    """
    sampling = objective.asks.sampling
    if sampling is None or not isinstance(objective, LearnsFromExperience):
        return RowBatches(groups, order)

    def decode(tokens: list[int], plain: bool) -> str:
        return str(chat.tokenizer.backend_tokenizer.decode(tokens, skip_special_tokens=plain))

    ends = sorted(all_ends(chat))
    sampler: Sampler | EndpointSampler
    if SAMPLER in step.inputs:
        sampler = EndpointSampler(step, sampling, ends, training, step.provider("adapter"), Ranks(step.placement, strategy))
    else:
        sampler = Sampler(training.model, sampling, ends, lambda tokens: decode(tokens, True), mesh.device, step.check_cancelled)
    dtype = compute_type(step.settings.dtype, "", step.placement, training=True)[0]
    longest = min(step.settings.max_length, context or step.settings.max_length)
    playing = sampling.max_turns and isinstance(objective, Interacts)
    episodes = Episodes(objective, sampler, chat, sampling, longest, decode, step) if playing else None
    return Collections(step, objective, sampling, groups, order, sampler, decode, strategy, mesh, dtype, episodes)


def base_and_adapter(model: Artifact) -> tuple[Artifact, Path | None]:
    """The model that is trained, and the directory of an adapter that goes on from where it was; None where a new one begins.

    Raises:
        TunesmithError: TS-TRAIN-007 for an adapter that does not say which model it belongs to.
    """
    if not model.format.startswith("adapter/"):
        return model, None
    if "base" not in model.refs:
        raise TunesmithError(
            "TS-TRAIN-007", "The adapter does not say which base model it belongs to, so it can't be trained further",
            fix="Train it with Tunesmith, or import it together with its base model.",
        )  # fmt: skip
    return model.refs["base"], model.path


def _groups(
    step: Step, objective: Objective, chat: ChatTokenizer, base: Artifact, strategy: TrainerStrategy
) -> tuple[TruncatedRows, TruncatedRows | None, Mapping[str, TruncatedRows]]:  # fmt: skip
    """What is trained on, and what is only judged by; and all rows by the input that they come from."""
    settings = step.settings
    config = json.loads((base.path / "config.json").read_text(encoding="utf-8"))
    longest = min(settings.max_length, encoder_positions(config) or settings.max_length)
    if longest < settings.max_length:
        step.decide(f"at most {longest} tokens of a row", f"the encoder has no more positions (`max_length` is {settings.max_length})")
    limits = {"max_length": longest, "truncation": settings.truncation}
    if sampling := objective.asks.sampling:
        check_objective(objective)
        check_settings(settings, step.inputs)
        prompts = tokenize("data", objective, chat, base, step, strategy)
        if isinstance(objective, LearnsFromExperience):
            objective.open(step.inputs)
        chosen = prompt_rows(prompts, sampling, step, max_length=settings.max_length, context=positions(base))
        return chosen, None, {"data": chosen}
    groups = truncated_rows(tokenize("data", objective, chat, base, step, strategy), objective, step, **limits)
    if isinstance(objective, ReadsFacts):
        for sentence in objective.read_facts(groups.facts()):
            step.log(sentence, "warning")
    if "validation" in step.inputs:
        found = tokenize("validation", objective, chat, base, step, strategy)
        judged = truncated_rows(found, objective, step, what="validation rows", **limits)
        return groups, judged, {"data": groups, "validation": judged}
    apart = validation_split(len(groups), settings.validation_split, step.seed)
    if not apart:
        if settings.validation_split:
            step.decide(
                "no validation", f"`validation_split` holds rows out, and the data has {len(groups)}: nothing would be left to learn from"
            )
        return groups, None, {"data": groups}
    step.log(f"{len(apart)} of {len(groups)} rows are held out for validation (setting `validation_split`)")
    left = sorted(set(range(len(groups))) - set(apart))
    return groups.part(left), groups.part(apart), {"data": groups}


def _metrics(progress: Progress, load_best: bool) -> dict[str, float]:
    last = progress.history[-_LAST:]
    metrics = {"train_loss": sum(point["loss"] for point in last) / len(last), "tokens": progress.tokens, "steps": progress.steps}
    if rewards := [point["reward"] for point in last if "reward" in point]:
        metrics["reward"] = sum(rewards) / len(rewards)
    best = early_stopping(progress.history, 0.0)
    if not best.step:
        return metrics
    saved = progress.history[(best.step if load_best else progress.steps) - 1]
    return metrics | {"best_step": best.step} | {name: value for name, value in saved.items() if name.startswith("validation_")}


def _finish(step: Step, base: Artifact, progress: Progress, chat: ChatTokenizer) -> None:
    output = step.output
    if stands_alone(output):
        copy_tokenizer(base, output)
        write_ends(output, chat)
    lines = [json.dumps(point) + "\n" for point in progress.history]
    (output / LOG).write_text("".join(lines), encoding="utf-8")
    shutil.copyfile(step.work / SAMPLES, output / SAMPLES)
