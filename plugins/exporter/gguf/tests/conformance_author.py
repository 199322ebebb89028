"""What the conformance kit can't know: llama.cpp's converter knows tokenizers by name, the kit's tiny one is nobody's."""

from __future__ import annotations

from tunesmith_sdk.conformance import Case


def source(case: Case) -> str:
    """A tiny model with a tokenizer in Llama's manner: letters, and bytes for all else."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    from tunesmith_sdk.tiny_models import CHAT_TEMPLATE, tiny_model

    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *map(chr, range(ord("a"), ord("z") + 1))]
    tokenizer = Tokenizer(models.BPE({word: at for at, word in enumerate(words)}, [], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    fast.chat_template = CHAT_TEMPLATE
    tiny_model(case.directory, vocab_size=len(words), bos_token_id=1, eos_token_id=2, pad_token_id=None)
    fast.save_pretrained(case.directory)
    return "model/hf"
