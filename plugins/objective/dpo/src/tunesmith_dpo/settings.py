"""Settings of the objective `dpo`. Names are TRL's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.contracts import UserError, setting
from tunesmith.errors import did_you_mean
from tunesmith_pairs import refuse_unread

LOSSES = (
    "sigmoid", "hinge", "ipo", "robust", "exo_pair", "nca_pair", "bco_pair", "sppo_hard", "aot", "aot_unpaired", "apo_zero", "apo_down",
    "discopop", "sigmoid_norm", "sft",
)  # fmt: skip
OF_THE_BATCH = ("bco_pair", "aot", "aot_unpaired")  #: those that depend on all pairs of a batch
_SCORED = ("sigmoid", "hinge", "ipo", "robust", "exo_pair", "discopop", "sigmoid_norm")  # those of a difference of scores
#: setting -> the losses that read it
READ_BY = {
    "beta": tuple(name for name in LOSSES if name != "sft"),
    "label_smoothing": ("sigmoid", "robust", "exo_pair", "aot", "aot_unpaired"),
    "discopop_tau": ("discopop",),
    "f_divergence_type": _SCORED,
    "ld_alpha": tuple(name for name in LOSSES if name != "sft"),
}
DIVERGENCES = ("reverse_kl", "forward_kl", "js_divergence", "alpha_divergence")


@dataclass(frozen=True)
class PreferenceSettings:
    loss_type: str | list[str] = setting(
        "sigmoid", "the loss, or a list of losses that are added: " + ", ".join(LOSSES), examples=(*LOSSES[1:-1], ["sigmoid", "sft"]),
        unlike={"rpo_alpha": "write `loss_type: [sigmoid, sft]` and `loss_weights: [1, ALPHA]`"}, aliases=("pref_loss",),
    )  # fmt: skip
    loss_weights: list[float] = setting(
        [], "what each of several losses is multiplied with, in their order; empty: 1", examples=([0.8, 0.2],),
        effect={"with": {"loss_type": ["sigmoid", "sft"]}},
    )  # fmt: skip
    beta: float = setting(
        0.1, "how strongly the model is held to what it was before: less lets it move further", gt=0, aliases=("pref_beta",)
    )
    label_smoothing: float = setting(0.0, "share of pairs assumed to be labelled the wrong way round", ge=0, lt=0.5)
    ld_alpha: float = setting(
        1.0, "weight of the tokens of a pair's longer answer beyond the length of its shorter one; 0 leaves them out", ge=0, le=1
    )
    use_weighting: bool = setting(False, "weigh each pair with how likely the model finds its answers (WPO)")
    f_divergence_type: str = setting("reverse_kl", "the divergence from the reference that the reward stands for", choices=DIVERGENCES)
    f_alpha_divergence_coef: float = setting(
        0.5,
        "of the divergence `alpha_divergence`: its alpha; 1 is `reverse_kl`",
        effect={"with": {"f_divergence_type": "alpha_divergence"}},
    )
    discopop_tau: float = setting(
        0.05, "of the loss `discopop`: its temperature", gt=0, effect={"with": {"loss_type": "discopop", "label_smoothing": 0.0}}
    )

    def check(self) -> None:
        """Asked by the plan and by the objective.

        Raises:
            UserError: TS-TRAIN-093 when the losses do not fit together, or a setting is read by none of them.
        """
        names = self.losses
        _refuse_unknown(names)
        refuse_unread(self, names, READ_BY)
        if self.loss_weights and min(self.loss_weights) <= 0:
            raise _misfit(f"`loss_weights: {list(self.loss_weights)}` has one that is not above 0", fix="Give each loss a weight above 0.")
        if self.loss_weights and len(self.loss_weights) != len(names):
            raise _misfit(
                f"`loss_weights` are {len(self.loss_weights)}, and the losses {len(names)}: {', '.join(names)}",
                fix="Give each loss a weight, or leave the weights out.",
            )
        if "exo_pair" in names and not self.label_smoothing:
            raise _misfit("`exo_pair` needs a `label_smoothing` above 0", why="It compares with labels that are wrong at times.",
                          fix="Set `label_smoothing: 0.001`, as its paper does.")  # fmt: skip
        if self.use_weighting and {"aot", "aot_unpaired"} & set(names):
            raise _misfit(
                "`use_weighting` does not go with `aot`", why="That compares answers of different pairs.", fix="Leave one of them out."
            )
        if self.f_alpha_divergence_coef != 0.5 and self.f_divergence_type != "alpha_divergence":
            raise _misfit("`f_alpha_divergence_coef` has no effect", why=f"`f_divergence_type` is `{self.f_divergence_type}`.",
                          fix="Set `f_divergence_type: alpha_divergence`, or leave it out.")  # fmt: skip

    @property
    def losses(self) -> list[str]:
        return [self.loss_type] if isinstance(self.loss_type, str) else list(self.loss_type)

    @property
    def weights(self) -> list[float]:
        return list(self.loss_weights) or [1.0] * len(self.losses)


def _refuse_unknown(names: Sequence[str]) -> None:
    for name in names:
        if name not in LOSSES:
            listed = "Write several as a list: `loss_type: [sigmoid, sft]`, on the command line `--loss-type sigmoid sft`."
            raise _misfit(f"`dpo` has no loss `{name}`", fix=listed if "," in name else did_you_mean(name, LOSSES))
    if names in (["sft"], []) or len(set(names)) < len(names):
        raise _misfit(
            f"`loss_type: {list(names)}` names no loss of pairs, or one twice",
            fix="Name each once; to tune on the chosen answers alone, train with `sft`.",
        )


def _misfit(what: str, *, why: str = "", fix: str) -> UserError:
    return UserError("TS-TRAIN-093", what, why=why, fix=fix)
