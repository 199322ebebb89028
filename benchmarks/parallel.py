"""Two processes against one: tokens a second and peak memory of ddp and fsdp, and of plain torch DDP, on this machine's processor.

    python benchmarks/parallel.py                          # all, three rounds
    python benchmarks/parallel.py --rounds 1 --layers 2    # quickly
    python benchmarks/parallel.py --adapter lora --json figures.json

A Llama of random weights, float32, rows of equal length, so that nobody pads. In a round all run in turn, and the ratios are of one round;
the table has medians. One process is told to use one thread, and also two, which is what the two processes have together. Tokens a second
need a quiet machine (the load is told; on a busy one two processes get more of it than one). Tokens for each second of the processor, of
all processes together, hardly depend on it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

LENGTH, BATCH, STEPS, WARM = 128, 8, 7, 2  # tokens of a row, rows of a step, steps, and how many of them don't count
#: name -> processes and threads of each
RUNS = {"single": (1, 1), "single, 2 threads": (1, 2), "ddp": (2, 1), "fsdp": (2, 1), "torch DDP": (2, 1)}
LIMIT = 150  # seconds after which a run counts as hung
QUIET = 1.5  # load at which figures mean something


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", choices=("full", "lora"), default="full")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--json", type=Path, help="write the figures")
    parser.add_argument("--rank", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.rank:
        told = json.loads(args.rank)
        found = plain(told) if told["run"] == "torch DDP" else ours(told)
        Path(told["folder"], f"rank{told['rank']}.json").write_text(json.dumps(found))
        return 0
    load = os.getloadavg()[0]
    print(f"load {load:.1f}" + (f": above {QUIET} figures say little" if load > QUIET else ""), flush=True)
    rounds: list[dict[str, dict[str, float]]] = []
    with tempfile.TemporaryDirectory() as place:
        model, data, parameters = prepare(Path(place), args.layers)
        names = [name for name in RUNS if args.adapter == "full" or name != "torch DDP"]
        for number in range(args.rounds):
            folder = Path(place) / f"round-{number}"
            rounds.append({name: launch(name, args.adapter, model, data, folder / name.replace(", ", "-")) for name in names})
            print(".", end="", flush=True)
    rows = {name: summary(name, rounds) for name in names}
    print(f"\n\n{parameters:,} parameters, {args.adapter}, {BATCH} rows of {LENGTH} tokens a step, {args.rounds} rounds\n")
    print("| | processes x threads | tokens/s | times `single` | tokens/CPU s | times `single` | peak of a process, MB | last loss |")
    print(f"|{'---|' * 8}")
    for name, row in rows.items():
        cells = (f"{RUNS[name][0]} x {RUNS[name][1]}", f"{row['speed']:,.0f}", f"{row['ratio']:.2f}")
        cells += (f"{row['per_processor']:,.0f}", f"{row['share']:.2f}", f"{row['memory'] / 1e6:,.0f}")
        print(f"| {name} | {' | '.join(cells)} | {row['loss']:.4f} |")
    if args.json:
        written = {"load": load, "parameters": parameters, "adapter": args.adapter, "rounds": rounds, "rows": rows}
        args.json.write_text(json.dumps(written, indent=2) + "\n")
    return 0


def prepare(folder: Path, layers: int) -> tuple[Path, Path, int]:
    """The model, the rows, and how many parameters there are."""
    from transformers import AutoModelForCausalLM

    from tunesmith_data.api import message
    from tunesmith_sdk.tiny_models import tiny_model

    sizes = {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": layers, "num_attention_heads": 8, "num_key_value_heads": 4}
    model = tiny_model(folder / "model", **sizes, head_dim=64)
    data = folder / "data"
    data.mkdir()
    rows = []
    for number in range(BATCH * STEPS):
        answer = " ".join(str((number * 7919 + at * 104729) % 10) for at in range(4 * LENGTH))  # longer than is kept
        rows.append({"messages": [message("user", "Count."), message("assistant", answer)]})
    (data / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return model, data, AutoModelForCausalLM.from_pretrained(model).num_parameters()


def launch(name: str, adapter: str, model: Path, data: Path, folder: Path) -> dict[str, float]:
    """Run it to its end: tokens a second over all processes, bytes of the largest of them, and the last loss."""
    folder.mkdir(parents=True)
    processes, threads = RUNS[name]
    told = {"run": name, "adapter": adapter, "model": str(model), "data": str(data), "folder": str(folder), "processes": processes}
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, __file__, "--rank"]
    log = (folder / "log.txt").open("wb")
    ranks = [subprocess.Popen([*command, json.dumps(told | {"rank": rank})], env=environment, stderr=log) for rank in range(processes)]
    until = time.monotonic() + LIMIT
    while any(rank.poll() is None for rank in ranks) and time.monotonic() < until and not any(rank.poll() for rank in ranks):
        time.sleep(0.1)
    ended = [rank.poll() for rank in ranks]
    for rank in ranks:
        rank.kill()
        rank.wait()
    if any(ended) or None in ended:
        raise SystemExit(f"{name} ended as {ended} (None: not in {LIMIT} s):\n{(folder / 'log.txt').read_text(errors='replace')[-2000:]}")
    found = [json.loads((folder / f"rank{rank}.json").read_text()) for rank in range(processes)]
    seconds = found[0]["seconds"][WARM:]
    tokens, processor = BATCH * LENGTH * len(seconds), sum(sum(one["processor"][WARM:]) for one in found)
    return {
        "speed": tokens / sum(seconds), "per_processor": tokens / processor, "memory": max(one["memory"] for one in found),
        "loss": found[0]["losses"][-1],
    }  # fmt: skip


def summary(name: str, rounds: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, float]:
    found = {key: statistics.median(one[name][key] for one in rounds) for key in ("speed", "per_processor", "memory", "loss")}
    ratio, share = (statistics.median(one[name][key] / one["single"][key] for one in rounds) for key in ("speed", "per_processor"))
    return found | {"ratio": ratio, "share": share}


def ours(told: Mapping[str, Any]) -> dict[str, Any]:
    """One process of a training by Tunesmith."""
    from tunesmith.contracts import Artifact, Placement
    from tunesmith.contracts.settings import build
    from tunesmith.isolation.provider_import import build_provider
    from tunesmith.isolation.worker_step import WorkerStep
    from tunesmith.session import Session
    from tunesmith_torch.settings import TrainSettings
    from tunesmith_torch.training.train import run

    registry, folder, strategy = Session.open().registry, Path(told["folder"]), told["run"].partition(",")[0]
    work = folder / f"own{told['rank']}"
    for name in ("output", "work"):
        (work / name).mkdir(parents=True)
    losses, times, used = [], [time.perf_counter()], [time.process_time()]

    def notify(method: str, params: Mapping[str, Any]) -> None:
        if method == "$/metric" and params["name"] == "loss":
            losses.append(params["value"])
            times.append(time.perf_counter())
            used.append(time.process_time())

    def provider(kind: str, name: str, settings: Mapping[str, Any]) -> Any:
        record = registry.provider(kind, name)
        return build_provider(record.target, record.settings, settings, record.distribution)

    settings = {
        "dtype": "float32", "batch_size": BATCH, "max_length": LENGTH, "max_tokens_per_microbatch": BATCH * LENGTH // 2,
        "learning_rate": 1e-4, "lr_scheduler_type": "constant", "warmup_ratio": 0.0, "save_steps": 0, "save_seconds": 0.0,
    }  # fmt: skip
    processes = int(told["processes"])
    step = WorkerStep(
        name="tune", output=work / "output", work=work / "work", settings=build(TrainSettings, settings), seed=7, notify=notify,
        placement=Placement(
            rank=int(told["rank"]), processes=processes, rendezvous=f"file://{folder / 'meet'}" if processes > 1 else "",
        ),
        inputs={
            "model": Artifact("model/hf", Path(told["model"]), digest="model"),
            "data": Artifact("dataset/chat", Path(told["data"]), digest="data"),
        },
        providers={
            "objective": provider("objective", "sft", {}), "adapter": provider("adapter", told["adapter"], {}),
            "strategy": provider("trainer_strategy", strategy, {"num_processes": processes} if processes > 1 else {}),
            "optimizer": provider("optimizer", "adamw", {}),
        },
        cache=folder / "cache",
    )  # fmt: skip
    run(step)
    return told_of(losses, times, used)


def plain(told: Mapping[str, Any]) -> dict[str, Any]:
    """One process of the same by transformers' model in torch's DistributedDataParallel; each has half of the rows of a step."""
    import torch
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    rank, folder = int(told["rank"]), Path(told["folder"])
    dist.init_process_group("gloo", init_method=f"file://{folder / 'meet'}", rank=rank, world_size=2)
    tokenizer = AutoTokenizer.from_pretrained(told["model"])
    rows = [json.loads(line)["messages"] for line in Path(told["data"], "rows.jsonl").read_text().splitlines()]
    turns = [[{"role": turn["role"], "content": turn["content"][0]["text"]} for turn in row] for row in rows]
    tokens = torch.tensor([tokenizer.apply_chat_template(row, return_dict=False)[:LENGTH] for row in turns])
    network = AutoModelForCausalLM.from_pretrained(told["model"], dtype=torch.float32).train()
    model = DistributedDataParallel(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, weight_decay=0.0)
    losses, times, used = [], [time.perf_counter()], [time.process_time()]
    for number in range(STEPS):
        mine = tokens[number * BATCH + rank : (number + 1) * BATCH : 2]
        loss = model(input_ids=mine, labels=mine, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        times.append(time.perf_counter())
        used.append(time.process_time())
    del model.reducer, model.logger  # they would end the group in a destructor, which may wait for ever (see the strategy `ddp`)
    dist.destroy_process_group()
    return told_of(losses, times, used)


def told_of(losses: Sequence[float], times: Sequence[float], used: Sequence[float]) -> dict[str, Any]:
    """What a process reports: by step its loss, its seconds, and those of the processor."""
    seconds, processor = ([after - before for before, after in pairwise(marks)] for marks in (times, used))
    return {"losses": losses, "seconds": seconds, "processor": processor, "memory": peak()}


def peak() -> int:
    """Bytes of this process at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    raise SystemExit(main())
