"""The table of architectures: ``python tests/architectures/table.py [--only NAME ...] [--again] [--page]``.

Each row is tried in a process of its own, with a time limit, forked from one that has imported the libraries; its cells go to
``docs/conformance/architectures.json`` as they come, and from that the page ``docs/conformance/architectures.md`` is written. Rows that are
there are kept, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from families import FAMILIES
from row import Row

DOCS = Path(__file__).resolve().parents[2] / "docs" / "conformance"
RESULTS, PAGE = DOCS / "architectures.json", DOCS / "architectures.md"
LIMIT = 240  # seconds a row
CELLS = ("lora", "packed", "own decoder", "merge", "classify", "embed", "sees", "hears", "bitsandbytes", "transformers")
#: columns that this table has no proof for: who can take a model is found out by the planner and the plugin itself
NOT_EXAMINED = "every other quantizer, exporter and engine (vLLM, SGLang, LMDeploy, llama.cpp, OpenVINO, MLX, ONNX)"


def known() -> dict[str, dict[str, str]]:
    return json.loads(RESULTS.read_text("utf-8"))["rows"] if RESULTS.exists() else {}


def note(rows: Mapping[str, Mapping[str, str]]) -> None:
    ordered = {name: rows[name] for name in FAMILIES if name in rows}
    told = {"transformers": version("transformers"), "torch": version("torch"), "rows": ordered}
    RESULTS.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def prepare() -> None:
    """Import what each row would import for itself; on one thread, for rows are forked."""
    for module in (
        "httpx", "transformers", "tunesmith_bitsandbytes.quantizer", "tunesmith_sft.objective", "tunesmith_single.strategy",
        "tunesmith_torch.merge", "tunesmith_torch.training.train", "tunesmith_torch_optim.adamw", "tunesmith_transformers.api.server",
        "tunesmith_transformers.backend",
    ):  # fmt: skip
        importlib.import_module(module)
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast  # noqa: F401

    torch.set_num_threads(1)


def tried(name: str) -> dict[str, str]:
    """The cells of a row, from a process of its own; what it had found when it was stopped counts."""
    directory = Path(tempfile.mkdtemp(prefix="architecture-"))
    found = directory / "found.json"
    pid = os.fork()
    if not pid:
        signal.alarm(LIMIT)
        log = os.open(directory / "log", os.O_WRONLY | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
        Row(name, directory).run(lambda cells: found.write_text(json.dumps(cells)))
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    cells: dict[str, str] = json.loads(found.read_text()) if found.exists() else {}
    if status:
        why = f"no: the process was ended by {signal.Signals(status & 127).name}" if status & 127 else f"no: status {status >> 8}"
        cells[next((cell for cell in ("model", *CELLS) if cell not in cells), "model")] = why
    if "LOGS" in os.environ:
        shutil.copytree(directory, Path(os.environ["LOGS"]) / name, dirs_exist_ok=True)
    shutil.rmtree(directory, ignore_errors=True)
    return cells


def page(rows: Mapping[str, Mapping[str, str]]) -> str:
    told = json.loads(RESULTS.read_text("utf-8"))
    notes: dict[str, int] = {}

    def cell(text: str) -> str:
        if text == "yes":
            return "✓"
        if not text:
            return ""
        if text.startswith("refused: "):
            code = text.removeprefix("refused: ")
            return f"[{code}](../errors/{code}.md)"
        number = notes.setdefault(text, len(notes) + 1)
        return f"{'✓' if text.startswith('one by one') else '–'} [{number}](#reasons)"

    lines = []
    for name, cells in rows.items():
        family = FAMILIES[name]
        lines.append(f"| `{name}` | {family.group} | " + " | ".join(cell(cells.get(column, "")) for column in CELLS) + " |")
    reasons = [f"{number}. {text[0].upper()}{text[1:]}" for text, number in notes.items()]
    spoken = [cells for name, cells in rows.items() if FAMILIES[name].kind in ("decoder", "media")]

    def count(column: str, *right: str) -> int:
        return sum(cells.get(column, "").startswith(("yes", *right)) for cells in spoken)

    return f"""# Architectures

<!-- Written by tests/architectures/table.py: run it again after a change. -->

What was tried of {len(rows)} architectures of transformers {told["transformers"]} with torch {told["torch"]} on a processor, each on a model of two layers
with random weights: three steps of `lora` by the training engine, merged, read anew and served. Of {len(spoken)} that write, {count("lora")} train,
{count("packed", "one by one")} have the same losses however sequences share forward passes ({count("packed")} of them with several in one), {count("merge")} merge, and
{count("transformers")} are served by the default backend. That a tiny model works says that the code fits the architecture; it says nothing of
quality, speed or memory.

| column | ✓ means |
|---|---|
| lora | three steps of `sft` with `lora`, the loss falls and is finite |
| packed | with several sequences in a forward pass the losses are those of one at a time, within 2e-5; ✓ with a reason: the engine saw that they would not stay apart, and runs each by itself |
| own decoder | the engine's own decoder computes it (see [model-impl.md](model-impl.md)); others train with transformers' model |
| merge | the merged model, read anew, differs from the base and says what base and adapter say, within 1e-3 |
| lora, merge, of encoders | three steps of `classify` with `lora`; the merged classifier, read anew by transformers, gives the scores of base, adapter and head, within 1e-4 |
| classify, embed | three steps with all weights, of encoders |
| sees, hears | rows with a picture or a sound train |
| bitsandbytes | quantized to nf4, read anew, logits finite |
| transformers | two requests at once to the default backend are answered; it checks itself against transformers before it serves |

Gemma 3, InternVL, Llama 4 and LLaVA have no processor here, so their steps are refused (TS-TRAIN-060); SmolVLM's processor needs a package
that is not installed. Their decoders are tried by `gemma3_text`, `qwen2`, `llama4_text` and `llama`. A plan refuses models of encoder and
decoder, and encoders with objectives that need a next token, before anything is computed ([TS-TRAIN-138](../errors/TS-TRAIN-138.md)).

An error's code says that it is refused: see its page. Empty: it does not apply, or was not tried for this kind of model. Not examined here:
{NOT_EXAMINED}.

| model_type | | {" | ".join(CELLS)} |
|---|---|{"---|" * len(CELLS)}
{chr(10).join(lines)}

## Reasons

{chr(10).join(reasons)}
"""  # noqa: E501 - lines of the page, whose figures are shorter than their names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=FAMILIES, metavar="NAME", help="these rows")
    parser.add_argument("--again", action="store_true", help="try rows that are there, too")
    parser.add_argument("--page", action="store_true", help="only write the page from what is there")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no row after so many")
    args = parser.parse_args()
    rows, until = known(), time.monotonic() + args.seconds
    wanted = [] if args.page else [name for name in args.only or FAMILIES if args.again or name not in rows]
    if wanted:
        prepare()
    for name in wanted:
        if time.monotonic() > until:
            break
        began = time.monotonic()
        rows[name] = tried(name)
        note(rows)
        print(f"{name} {time.monotonic() - began:.0f} s", json.dumps(rows[name], ensure_ascii=False), file=sys.stderr, flush=True)
    rows = known()
    PAGE.write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
