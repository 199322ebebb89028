"""Conversations as tokens: tokenizers, chat templates, where an answer ends."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_torch.data.chat_template.template import ChatTemplate
    from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder
    from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer
    from tunesmith_torch.data.tokenizer.loader import load_tokenizer
    from tunesmith_torch.data.tokenizer.model_eos_tokens import ends_of_model
    from tunesmith_torch.data.truncation import shortened

__all__ = ["ChatTemplate", "ChatTokenizer", "chat_encoder", "ends_of_model", "load_tokenizer", "shortened"]

__getattr__ = exports(
    __name__,
    {
        "ChatTokenizer": "tunesmith_torch.data.tokenizer.chat_tokenizer",
        "load_tokenizer": "tunesmith_torch.data.tokenizer.loader",
        "chat_encoder": "tunesmith_torch.data.tokenizer.chat_encoder",
        "ChatTemplate": "tunesmith_torch.data.chat_template.template",
        "ends_of_model": "tunesmith_torch.data.tokenizer.model_eos_tokens",
        "shortened": "tunesmith_torch.data.truncation",
    },
)
