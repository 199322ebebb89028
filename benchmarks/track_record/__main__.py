"""Predictions against what came of them, over trainings on this machine's processor: each is run as a user would, in one home, and the
table and the figure are made of what `tunesmith recommend --track-record --json` says afterwards.

    python benchmarks/track_record FOLDER [--page docs/recommend.md] [--chart docs/pictures/track-record.svg]

FOLDER keeps models and the home: what was run already is not run again. Rows are random words; the smaller models' weights are random, too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cases import CASES, DPO, Case
from chart import draw
from smollm2 import smollm2
from table import table

HERE = Path(__file__).resolve().parent
TUNESMITH = [sys.executable, "-m", "tunesmith_cli.main"]
STEPS = 6
CONFIGS: dict[str, dict[str, Any]] = {
    "llama-16m": {
        "model_type": "llama", "hidden_size": 256, "num_hidden_layers": 6, "intermediate_size": 704, "num_attention_heads": 4,
        "num_key_value_heads": 2,
    },
    "qwen3-50m": {
        "model_type": "qwen3", "hidden_size": 512, "num_hidden_layers": 8, "intermediate_size": 1536, "num_attention_heads": 8,
        "num_key_value_heads": 4, "head_dim": 64,
    },
}  # fmt: skip
SIZES = {"vocab_size": 49152, "max_position_embeddings": 2048, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2}
BETWEEN = ("<!-- track record -->", "<!-- /track record -->")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=Path, help=f"write the table into it, between {' and '.join(BETWEEN)}")
    parser.add_argument("--chart", type=Path, help="write the picture there")
    args = parser.parse_args()
    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    home, done = folder / "home", folder / "done.json"
    ran: dict[str, str] = json.loads(done.read_text()) if done.exists() else {}
    tunesmith("probe", home=home)
    for number, case in enumerate(CASES, 1):
        if case.name not in ran:
            print(f"{number:2} of {len(CASES)}  {case.name}", flush=True)
            ran[case.name] = run(case, number, folder, home)
            done.write_text(json.dumps(ran, indent=1))
    told = json.loads(tunesmith("recommend", "--track-record", "--json", home=home))
    rows = [(case, entry["run"]) for case in CASES for entry in told["entries"] if ran[case.name] == entry["run"]["id"]]
    text = table(rows)
    print(text)
    if args.page:
        before, _, rest = args.page.read_text(encoding="utf-8").partition(BETWEEN[0])
        args.page.write_text(before + f"{BETWEEN[0]}\n{text}\n{BETWEEN[1]}" + rest.partition(BETWEEN[1])[2], encoding="utf-8")
    if args.chart:
        args.chart.parent.mkdir(parents=True, exist_ok=True)
        args.chart.write_text(draw(rows), encoding="utf-8")


def run(case: Case, number: int, folder: Path, home: Path) -> str:
    """Train; the id of the entry that the knowledge base has got of it."""
    data = folder / f"rows-{number}.jsonl"
    draw_rows = random.Random(number)
    words = [line for line in (HERE / "words.txt").read_text(encoding="utf-8").split() if line]

    def text(tokens: int) -> str:
        return " ".join(draw_rows.choices(words, k=tokens))

    with data.open("w", encoding="utf-8") as file:
        for _ in range(case.batch * STEPS):
            answer = {"chosen": text(case.tokens - 30), "rejected": text(case.tokens - 30)} if case.verb == DPO else {}
            chat = [{"role": "user", "content": "Go on."}, {"role": "assistant", "content": text(case.tokens - 30)}]
            file.write(json.dumps({"prompt": "Go on.", **answer} if case.verb == DPO else {"messages": chat}) + "\n")
    before = entries(home)
    tunesmith(*case.words, "--model", str(model(case.model, folder)), "--data", str(data), "--max-steps", str(STEPS), home=home)
    return next(entry["id"] for entry in entries(home) if entry["verb"] == "train" and entry["id"] not in {one["id"] for one in before})


def entries(home: Path) -> list[dict[str, Any]]:
    if not (home / "knowledge.sqlite").exists():
        return []
    return [one["run"] for one in json.loads(tunesmith("recommend", "--track-record", "--json", home=home))["entries"]]


def tunesmith(*words: str, home: Path) -> str:
    """What a command says.

    Raises:
        SystemExit: it failed.
    """
    asked = [*TUNESMITH, words[0], *words[1:], "--home", str(home)]
    environment = {"OMP_NUM_THREADS": "1", **os.environ, "TUNESMITH_CACHE": str(home.parent / "cache")}
    done = subprocess.run(asked, capture_output=True, text=True, cwd=home.parent, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(asked)}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def model(name: str, folder: Path) -> Path:
    """The directory of a model below `folder`, made once."""
    if name not in CONFIGS:
        return smollm2(folder)
    target = folder / name
    if not (target / "config.json").exists():
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

        torch.manual_seed(0)
        aside = folder / f"{name}.new"
        AutoModelForCausalLM.from_config(AutoConfig.for_model(**SIZES | CONFIGS[name]), dtype=torch.bfloat16).save_pretrained(aside)
        for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
            shutil.copyfile(smollm2(folder) / file, aside / file)
        aside.rename(target)
    return target


if __name__ == "__main__":
    main()
