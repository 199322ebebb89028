"""A good minimal dataset format: questions and answers."""

from tunesmith.contracts import UserError
from tunesmith_data.api import message


class Provider:
    def convert(self, row):
        if not row["question"]:
            raise UserError("TS-DATA-003", "the question is empty", fix="Write one.")
        return {"messages": [message("user", row["question"]), message("assistant", row["answer"])]}
