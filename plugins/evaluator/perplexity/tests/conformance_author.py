"""What the conformance kit can't know: perplexities that follow from how a model is made, by arithmetic alone."""

import shutil
from math import exp, log

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tunesmith.contracts import Artifact
from tunesmith_data.api import message

ROWS = [{"messages": [message("user", "What?"), message("assistant", answer)]} for answer in ("q", "xyz")]
LETTERS, ENDS = 4, 2  # tokens of the answers: each letter is one, and each answer's end


def known_answers(case):
    tokenizer = AutoTokenizer.from_pretrained(case.material("blank"))
    words = len(tokenizer)
    yield _constant(case, "uniform", {}), ROWS, {"perplexity": words, "nll": log(words), "tokens": LETTERS + ENDS}
    # The end of a turn as likely as all else together: 1/2, and each other token 1/2 of 1/(words - 1).
    half = _constant(case, "half", {tokenizer.eos_token_id: log(words - 1)})
    nll = (LETTERS * log(2 * (words - 1)) + ENDS * log(2)) / (LETTERS + ENDS)
    yield half, ROWS, {"perplexity": exp(nll), "nll": nll, "tokens": LETTERS + ENDS}


@torch.no_grad()
def _constant(case, name, logits):
    """A model that says the same whatever it reads: these logits, and 0 for every other token."""
    folder = case.directory / name
    shutil.copytree(case.material("blank"), folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    model.get_input_embeddings().weight.fill_(1000.0)  # beside which the norm's epsilon is nothing
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    model.lm_head.weight.zero_()
    for token, logit in logits.items():
        model.lm_head.weight[token] = logit / model.config.hidden_size
    model.save_pretrained(folder)
    return Artifact("model/hf", folder)
