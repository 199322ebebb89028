"""transformers' `generate`, a question at a time: MODEL DTYPE THREADS TOKENS, questions as JSON on the standard input."""

from __future__ import annotations

import json
import sys
import time

if __name__ == "__main__":
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path, dtype, threads, tokens = sys.argv[1:]
    torch.set_num_threads(int(threads))
    tokenizer = AutoTokenizer.from_pretrained(path)
    network = AutoModelForCausalLM.from_pretrained(path, dtype=dtype).eval()

    def answer(question: str) -> int:
        chat = [{"role": "user", "content": question}]
        inputs = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        return network.generate(**inputs, max_new_tokens=int(tokens), do_sample=False).shape[1] - inputs["input_ids"].shape[1]

    questions = json.load(sys.stdin)
    answer(questions[0])
    started, spent = time.perf_counter(), time.process_time()
    count = sum(map(answer, questions))
    print(json.dumps({"tokens": count, "seconds": time.perf_counter() - started, "cpu": time.process_time() - spent}))
