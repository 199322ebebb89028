"""What authors build on: the contracts of objectives and optimizers, and the pieces of the engine that other distributions may import.

The contracts' names are here. `tunesmith_torch.api.model` loads and runs models, `.text` makes tokens of conversations, `.layers` finds and
replaces layers, `.parameters` names what trains. Nothing else of `tunesmith_torch` is for others. Importing any of these modules imports
neither torch nor transformers; names that need them load them at their first use.
"""

from tunesmith_torch.api.experience import (
    COMPLETIONS,
    AdaptsToExperience,
    Interacts,
    LearnsFromExperience,
    Reply,
    Rollout,
    Sampling,
    Score,
    Turn,
)
from tunesmith_torch.api.loss import LossSum, Mean, per_sequence
from tunesmith_torch.api.objective import (
    LAST,
    Asks,
    ChatEncoder,
    Gathers,
    Group,
    Head,
    KeepsState,
    Medium,
    MicroBatch,
    Objective,
    ReadsFacts,
    ReadsNext,
    TokenSequence,
    TopTokens,
    Warns,
    answered,
    estimator,
)
from tunesmith_torch.api.optimizer import Optimizer, OwnSchedule, Trained, parameter_groups

#: Of everything here: raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

__all__ = [
    "API",
    "COMPLETIONS",
    "LAST",
    "AdaptsToExperience",
    "Asks",
    "ChatEncoder",
    "Gathers",
    "Group",
    "Head",
    "Interacts",
    "KeepsState",
    "LearnsFromExperience",
    "LossSum",
    "Mean",
    "Medium",
    "MicroBatch",
    "Objective",
    "Optimizer",
    "OwnSchedule",
    "ReadsFacts",
    "ReadsNext",
    "Reply",
    "Rollout",
    "Sampling",
    "Score",
    "TokenSequence",
    "TopTokens",
    "Trained",
    "Turn",
    "Warns",
    "answered",
    "estimator",
    "parameter_groups",
    "per_sequence",
]
