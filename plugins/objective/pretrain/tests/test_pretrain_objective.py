"""The objective `pretrain`: what it takes from a document, what it makes of log-probabilities, and what training with it computes."""

from __future__ import annotations

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_pretrain.objective import Pretraining
from tunesmith_pretrain.settings import PretrainSettings
from tunesmith_sdk.tiny_models import tiny_tokenizer
from tunesmith_torch.api import Group, MicroBatch, TokenSequence
from tunesmith_torch.api.text import ChatTokenizer


def plain() -> ChatTokenizer:
    """A tokenizer without a chat template."""
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = None
    return ChatTokenizer(tokenizer)


@pytest.mark.parametrize("end_token", [True, False])
def test_a_document_is_the_tokenizers_own_encoding_and_no_template_s(end_token):
    chat = plain()
    group = Pretraining(PretrainSettings(end_token=end_token)).encode({"text": "Faust is a play."}, chat)
    (sequence,) = group.sequences
    wanted = chat.tokenizer("Faust is a play.")["input_ids"] + [chat.tokenizer.eos_token_id] * end_token
    assert list(sequence.tokens) == wanted
    assert list(sequence.labels) == [False] + [True] * (len(wanted) - 1)
    assert Pretraining().weight(group) == len(wanted) - 1


def test_a_document_without_text_is_refused():
    with pytest.raises(UserError, match="TS-DATA-020"):
        Pretraining().encode({"text": " \n"}, plain())


def test_the_loss_is_the_negative_log_likelihood():
    policy = torch.tensor([-1.0, -2.0, -0.5], dtype=torch.float64, requires_grad=True)
    group = Group((TokenSequence([1, 2, 3, 4], [False, True, True, True]),))
    batch = MicroBatch([group], (3,), policy)
    assert Pretraining().loss(batch).total.item() == 3.5 == pytest.approx(3 * Pretraining().formula(batch).item())
