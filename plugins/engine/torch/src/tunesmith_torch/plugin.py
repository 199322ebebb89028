"""What this plugin brings: the kinds `objective` and `optimizer`, the verbs `train`, `show-tokens` and `merge`, and what is tried when
training fails."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Input, Kind, Need, Remedy, Slot, StepFacts, TunesmithError, Verb
from tunesmith.hookspecs import hookimpl
from tunesmith_torch.settings import MergeSettings, PreviewSettings, TrainSettings
from tunesmith_torch.training.failures.recovery import remedy

TRAINED = "training is to change what a model computes"
_JUDGED = ["validation", "validation_split"]
METRICS = {
    "train_loss": {"better": "lower", "summary": "the objective's loss over the last ten steps, on average"},
    "tokens": {"summary": "tokens that went through the model while training, those without labels and every epoch's counted"},
    "steps": {"summary": "optimizer steps"},
    "validation_loss": {"better": "lower", "summary": "the loss over the rows that are not trained on", "with": _JUDGED},
    "best_step": {"summary": "the step after which that was least", "with": _JUDGED},
}


@hookimpl
def kind() -> Sequence[Kind]:
    return [
        Kind(
            name="objective",
            summary="what training minimises",
            contract="tunesmith_torch.api.objective:Objective",
            checks="tunesmith_torch.conformance.objective",
            scaffold="scaffold/objective",
            example='Provider("echo", "repeat the prompt", "acme_echo.objective:Echo", accepts=("dataset/chat",))',
        ),
        Kind(
            name="optimizer",
            summary="turns gradients into steps",
            contract="tunesmith_torch.api.optimizer:Optimizer",
            checks="tunesmith_torch.conformance.optimizer",
            scaffold="scaffold/optimizer",
            example='Provider("downhill", "a step against the gradient", "acme_downhill.optimizer:Downhill")',
        ),
    ]


@hookimpl
def verb() -> Sequence[Verb]:
    return [
        Verb(
            name="train",
            summary="fine-tune a model: an objective, an adapter and a strategy in one loop",
            target="tunesmith_torch.training.train:run",
            settings=TrainSettings,
            kind="objective",
            slots=(
                Slot("adapter", "adapter", "how the model changes and what of it trains"),
                Slot("strategy", "trainer_strategy", "processes and memory", interchangeable=True),
                Slot("optimizer", "optimizer", "how gradients become steps"),
            ),
            inputs=(
                Input("model", "the model to train", of="adapter"),
                Input("data", "the rows to learn from", of="objective"),
                Input("validation", "rows to judge by while training", of="objective", required=False),
                Input(
                    "reference",
                    "what the model is compared with; left out: what it was before",
                    accepts=("model/hf",),
                    required=False,
                    read_by="reference",
                ),
                Input(
                    "teacher", "the model to learn from", accepts=("model/hf",), required=False, required_by="teacher", read_by="teacher"
                ),
                Input(
                    "reward_model",
                    "the reward model that scores completions",
                    accepts=("model/hf+reward",),
                    required=False,
                    read_by="reward_model",
                ),
                Input(
                    "sampler",
                    "the endpoint that writes completions, in place of the training step itself",
                    accepts=("endpoint/openai",),
                    required=False,
                    read_by="sampler",
                ),
            ),
            produces_of="adapter",
            facts={"metrics": METRICS, "edge": "update", "not_compared": TRAINED},
            estimator="tunesmith_torch.estimate.memory:train",
            promote=True,
        ),
        Verb(
            name="show-tokens",
            summary="rows as the tokens that a model would learn from, with their labels",
            target="tunesmith_torch.data.show_tokens:run",
            settings=PreviewSettings,
            # What an objective needs of the adapter and the strategy it would have in training: here it changes nothing.
            slots=(
                Slot("objective", "objective", "what the rows teach"),
                Slot("adapter", "adapter", "what would be trained; the tokens are the same with any", told=False),
                Slot("strategy", "trainer_strategy", "how it would be trained; the tokens are the same with any", told=False),
            ),
            inputs=(
                Input("model", "the model whose tokenizer and chat template to use", accepts=("model/*",)),
                Input("data", "the rows", of="objective"),
            ),
            produces=("report/tokens",),
            facts={"metrics": {}},
            computes=False,
        ),
        Verb(
            name="merge",
            summary="fold an adapter into its base model",
            target="tunesmith_torch.merge:run",
            settings=MergeSettings,
            # The slot's default `producer` is the provider that made the main input.
            slots=(Slot("adapter", "adapter", "the kind of adapter to fold in", default="producer"),),
            inputs=(Input("model", "the adapter", accepts=("adapter/*+*",)),),
            produces=("model/hf+*",),
            capabilities={"lossless": "partial"},
            limits={"lossless": "the sum of base and update is rounded to the base's type of numbers"},
            needs=(Need("producer", "merge", "merging writes the adapter's change into the base's weights"),),
            facts={"metrics": {}, "edge": "update"},
            estimator="tunesmith_torch.estimate.memory:merge",
            converts="insert",
        ),
    ]


@hookimpl
def step_failed(step: StepFacts, error: TunesmithError) -> Remedy | None:
    ours = step.verb == "train" and TrainSettings.__dataclass_fields__.keys() <= step.settings.keys()
    return remedy(step.settings, error, step.attempt) if ours else None
