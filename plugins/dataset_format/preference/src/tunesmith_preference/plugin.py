"""What tunesmith-preference brings: the dataset formats `preference`, `rejected-response`, `rejected-messages`, `preferred-output` and
`scored-answers`."""

from collections.abc import Sequence

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_preference import scored
from tunesmith_preference.rows import PREFERRED_OUTPUT, REJECTED_MESSAGES, REJECTED_RESPONSE, ROW
from tunesmith_preference.settings import ScoredSettings


@hookimpl
def dataset_format() -> Sequence[Provider]:
    pairs = ("dataset/preference",)
    return [
        Provider(
            "preference", "pairs to prefer one of: {prompt?, chosen, rejected}", "tunesmith_preference.rows:Preference", produces=pairs,
            facts={
                "row": ROW,
                "aliases": {
                    "chosen": ("preferred", "better", "good", "accepted", "chosen_response", "response_chosen", "response_j"),
                    "rejected": ("dispreferred", "worse", "bad", "rejected_response", "response_rejected", "response_k"),
                },
            },
        ),
        Provider(
            "rejected-response", "conversations with an answer that was rejected: {messages, rejected_response}",
            "tunesmith_preference.rows:RejectedResponse", produces=pairs, facts={"row": REJECTED_RESPONSE},
        ),
        Provider(
            "rejected-messages", "two conversations to prefer one of: {messages, rejected_messages}",
            "tunesmith_preference.rows:RejectedMessages", produces=pairs, facts={"row": REJECTED_MESSAGES},
        ),
        Provider(
            "preferred-output", "a conversation with the output that is preferred: {input, preferred_output, non_preferred_output}",
            "tunesmith_preference.rows:PreferredOutput", produces=pairs, facts={"row": PREFERRED_OUTPUT},
        ),
        Provider(
            "scored-answers", "several answers with scores or ranks: {prompt, completions: [{response, score}]}",
            "tunesmith_preference.scored:ScoredAnswers", ScoredSettings, produces=pairs, facts={"row": scored.ROW},
        ),
    ]  # fmt: skip
