"""What this plugin brings: the objective `dpo`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_dpo.asks import asks
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_pairs import DISTANCE, ENTROPY, REWARDS, told

_RECOMMEND = {
    "order": 20, "step": {"num_train_epochs": 1}, "times": {"learning_rate": 0.1},
    "source": "Rafailov et al., Direct Preference Optimization, arXiv:2305.18290",
    "rule": "of pairs it learns what learning from a reward model does, in one step, at a tenth of the learning rate of supervised tuning",
}  # fmt: skip


@hookimpl
def objective() -> Provider:
    return Provider(
        name="dpo",
        summary="direct preference optimisation: prefer the chosen answer to the rejected one",
        target="tunesmith_dpo.objective:DirectPreference",
        settings=PreferenceSettings,
        accepts=("dataset/preference",),
        needs=asks(PreferenceSettings()).needs,
        facts={**asks(PreferenceSettings()).facts, "metrics": told(REWARDS | DISTANCE | ENTROPY), "recommend": _RECOMMEND},
        estimator="tunesmith_dpo.asks:parts",
    )
