"""The formats whose answer is a text: questions, captions, texts in pictures, speech."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row
from tunesmith_multimodal.question_answer import exchange
from tunesmith_multimodal.settings import PromptSettings


class VisualQuestions:
    """``{"image", "question", "answer"}`` or, where several people answered, ``"answers"``: what most of them said is trained on."""

    def convert(self, row: Mapping[str, Any]) -> Row:
        if row.get("answer"):
            return exchange(row, "image", row["question"], row["answer"])
        said = [one["answer"] if isinstance(one, Mapping) else one for one in row.get("answers") or ()]
        if not said:
            raise UserError("TS-DATA-020", "the row has neither `answer` nor `answers`", fix="Add one, or remove the row.")
        return exchange(row, "image", row["question"], Counter(said).most_common(1)[0][0])


class _Told:
    """A medium with a text: the question is the row's own, the setting's, or `question`."""

    kind, column, question = "image", "", ""

    def __init__(self, settings: PromptSettings = PromptSettings()) -> None:  # noqa: B008  (it is frozen)
        self.settings = settings

    def convert(self, row: Mapping[str, Any]) -> Row:
        return exchange(row, self.kind, row.get("question") or self.settings.prompt or self.question, row[self.column])


class Captions(_Told):
    """``{"image", "caption"}``"""

    column, question = "caption", "Describe the image."


class Texts(_Told):
    """``{"image", "text"}``"""

    column, question = "text", "Read the text in the image."


class Speech(_Told):
    """``{"audio", "text"}``"""

    kind, column, question = "audio", "text", "Transcribe the speech."
