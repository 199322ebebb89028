"""What the model answers while it trains: prompts of the user's, at chosen steps, each time by the likeliest tokens.

Training does not see it: it is computed in evaluation mode by the strategy's own forward pass, and draws no random numbers. Every process
takes part, and all come to the same. All tokens of a prompt are computed anew for each token of its answer, which needs nothing of a model
but what training needs.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import Step, Training, TunesmithError
from tunesmith_data.api import message
from tunesmith_torch.api import Objective, TokenSequence
from tunesmith_torch.data.chat_template.eos_tokens import all_ends
from tunesmith_torch.data.packing import Wanted, pack
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer
from tunesmith_torch.estimate.completions import check_prompts
from tunesmith_torch.model.log_probs import TOP_IDS

COMPLETIONS = "completions.jsonl"  #: a line of JSON for each answer: ``step``, ``prompt``, ``completion``
_WANTED = Wanted(top=1)


class Completions:
    """Of one training step.

    Raises:
        UserError: TS-TRAIN-075 when the objective trains no next token.
    """

    def __init__(self, step: Step, objective: Objective, chat: ChatTokenizer, training: Training, device: torch.device) -> None:
        self.step, self.chat, self.training, self.device = step, chat, training, device
        self.path, self.writes = step.work / COMPLETIONS, step.placement.rank == 0
        settings = step.settings
        self.prompts, self.every, self.longest = settings.sample_prompts, settings.sample_steps, settings.sample_max_tokens
        check_prompts(self.prompts, log_probs=objective.asks.log_probs or objective.asks.teacher > 0, outputs=True)
        self._asked = [_tokens(prompt, chat, plain=objective.asks.pieces) for prompt in self.prompts]
        self._ends = all_ends(chat) if self.prompts else frozenset()

    def due(self, steps: int, per_epoch: int, total: int) -> bool:
        """Whether they are asked for after so many steps."""
        return bool(self.prompts) and (steps in (0, total) or steps % (self.every or per_epoch) == 0)

    def answer(self, steps: int) -> None:
        """Ask the model as it is after so many steps, unless that was done before an interruption; tell and write what it says."""
        lines = [line for line in self._lines() if line["step"] <= steps]
        if not any(line["step"] == steps for line in lines):
            for prompt, tokens in zip(self.prompts, self._generated(), strict=True):
                said = self.chat.tokenizer.backend_tokenizer.decode(tokens, skip_special_tokens=True).strip()
                lines.append({"step": steps, "prompt": prompt, "completion": said})
                when = f"after step {steps}" if steps else "before training"
                self.step.log(f"{when}, asked {prompt!r}: {said!r}", "notice")
        if self.writes:
            draft = self.path.with_suffix(".new")
            draft.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
            draft.replace(self.path)

    def save(self, output: Path) -> None:
        """Beside the adapter."""
        if self.prompts and self.writes:
            shutil.copyfile(self.path, output / COMPLETIONS)

    def _lines(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def _generated(self) -> list[list[int]]:
        """The tokens of each answer, without the one that ends it."""
        answers: list[list[int]] = [[] for _ in self._asked]
        going = list(range(len(answers)))
        while going:
            self.step.check_cancelled()
            rows = [[*self._asked[at], *answers[at]] for at in going]
            # A token behind the last one, whichever it is, has the label at which the likeliest next tokens are given.
            sequences = [TokenSequence([*row, row[-1]], [False] * len(row) + [True]) for row in rows]
            packed = pack(sequences, self.device, share=self.training.model.packed, wanted=_WANTED)
            (output,) = self.training.forward([packed])
            if TOP_IDS not in output:
                raise TunesmithError("TS-TRAIN-075", "The strategy's model gives no likeliest tokens, and `sample_prompts` need them",
                                     fix="Leave `sample_prompts` out, or use another strategy.")  # fmt: skip
            for at, token in zip(going, output[TOP_IDS][:, 0].tolist(), strict=True):
                answers[at].append(token)
            going = [at for at in going if answers[at][-1] not in self._ends and len(answers[at]) < self.longest]
        return [answer[:-1] if answer[-1] in self._ends else answer for answer in answers]


def _tokens(prompt: str, chat: ChatTokenizer, *, plain: bool) -> list[int]:
    """As a user's message that asks for an answer; as a beginning of a text where the objective learns from plain ones."""
    if plain:
        return list(chat.encode_text(prompt).tokens)
    text = chat.template.render([chat.plain(message("user", prompt))], prompt=True).text
    return list(chat.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids)
