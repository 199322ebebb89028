"""Completions that a training samples in its own process, against transformers' `generate` one by one, on the same model and prompts.

    python benchmarks/align/sampling.py                  # 4 prompts with 8 completions each: 32 at once
    python benchmarks/align/sampling.py --rounds 3 --precision float32

SmolLM2-135M-Instruct with the adapter of rank 8 on all linear layers that benchmarks/align trains, one thread. `generate` writes the same
number of completions one after the other, of the same number of tokens: no end token is looked at by either. Seconds are the process's
processor time; loading is not in them. In a round both run in turn; told is each round's ratio, and the median.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace

os.environ["OMP_NUM_THREADS"] = "1"
sys.path[:0] = [str(Path(__file__).resolve().parent)]

import torch  # noqa: E402
from pairs import COMPLETION, GROUP, asked, prepare  # noqa: E402
from peft import PeftModel  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from tunesmith_lora.adapter import Lora  # noqa: E402
from tunesmith_lora.settings import LoraSettings  # noqa: E402
from tunesmith_torch.api import Sampling  # noqa: E402
from tunesmith_torch.model.dense.loader import load_dense  # noqa: E402
from tunesmith_torch.training.experience.sampler import Sampler  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--group", type=int, default=GROUP)
    parser.add_argument("--tokens", type=int, default=COMPLETION)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--work", type=Path, default=Path("build/align").resolve())
    args = parser.parse_args()
    torch.set_num_threads(1)
    dtype = getattr(torch, args.precision)
    work = prepare(args.work, 8, "short", "grpo", args.precision)
    tokenizer = AutoTokenizer.from_pretrained(work.model)
    prompts = [
        tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False)
        for row in asked(args.prompts, "short")
    ]  # fmt: skip
    ours, theirs = _sampler(work, dtype, args), _model(work, dtype)
    ratios = []
    for _ in range(args.rounds):
        seconds = [_seconds(lambda: _one_by_one(theirs, prompts, args)), _seconds(lambda: _at_once(ours, prompts, args))]
        ratios.append(seconds[0] / seconds[1])
        count = args.prompts * args.group * args.tokens
        print(
            f"{count} tokens in {args.precision}: generate {count / seconds[0]:.1f} tokens/CPU s, in process {count / seconds[1]:.1f}, "
            f"ratio {ratios[-1]:.2f}, load {os.getloadavg()[0]:.1f}", flush=True,
        )  # fmt: skip
    print(f"median ratio {statistics.median(ratios):.2f}")
    return 0


def _sampler(work, dtype, args) -> Sampler:
    """As a training step has it: the base in `dtype`, what trains in float32."""
    model = load_dense(work.model, torch.device("cpu"))
    Lora(LoraSettings(r=8, lora_alpha=16)).load(model, work.adapter)
    for parameter in model.parameters():
        parameter.data = parameter.data.to(torch.float32 if parameter.requires_grad else dtype)
    trainable = SimpleNamespace(
        model=model.eval(), compute=dtype, training=False, others={}, eval=lambda: None, train=lambda mode: None
    )  # fmt: skip
    sampling = Sampling(num_generations=args.group, max_completion_length=args.tokens)
    return Sampler(trainable, sampling, (), lambda tokens: "", torch.device("cpu"), lambda: None)  # type: ignore[arg-type]


def _model(work, dtype):
    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(work.model, dtype=dtype), work.adapter).eval()


def _at_once(sampler: Sampler, prompts: list[list[int]], args) -> int:
    found = sampler(prompts, [(0, at) for at in range(len(prompts))])
    return sum(len(one.tokens) for own in found for one in own)


@torch.no_grad()
def _one_by_one(model, prompts: list[list[int]], args) -> int:
    wanted = {"do_sample": True, "top_k": 0, "max_new_tokens": args.tokens, "min_new_tokens": args.tokens, "pad_token_id": 0}
    ids = [torch.tensor([prompt]) for prompt in prompts for _ in range(args.group)]
    return sum(model.generate(input_ids=one, attention_mask=torch.ones_like(one), **wanted).shape[1] - one.shape[1] for one in ids)


def _seconds(run) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


if __name__ == "__main__":
    raise SystemExit(main())
