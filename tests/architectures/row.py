"""What works of one architecture, tried on a tiny model of it: each cell ``yes``, ``refused: CODE`` or ``no: why``."""

from __future__ import annotations

import json
import math
import threading
import traceback
import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from families import FAMILIES, write

from tunesmith.contracts import Address, Artifact
from tunesmith.contracts.settings import build
from tunesmith.errors import TunesmithError
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import message

ROWS = [
    {"messages": [message("user", f"What is a plugin? ({number})"), message("assistant", "A package." + " yes" * (number % 4))]}
    for number in range(8)
]
LABELLED = [{"text": f"The fox number {number} is {'quick' if number % 2 else 'lazy'}.", "label": str(number % 2)} for number in range(8)]
PAIRS = [{"anchor": f"fox {number}", "positive": f"the fox with number {number}", "negatives": []} for number in range(8)]
STEPS = {
    "dtype": "float32",
    "batch_size": 4,
    "learning_rate": 1e-2,
    "logging_steps": 1,
    "save_time_share": 1.0,
    "max_steps": 3,
    "num_train_epochs": 2,
}
SAME = 2e-5  #: between losses of one sequence and of several in a forward pass: float32 sums in another order
IDS = [[1, 40, 41, 42, 43, 44, 45]]


class Row:
    """Tries the cells of one architecture below a directory."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name, self.directory, self.family = name, directory, FAMILIES[name]
        self.found: dict[str, str] = {}
        self.adapter: Path | None = None
        self.merged: Path | None = None
        self.losses: list[float] = []
        self.decided: list[tuple[str, str]] = []

    def run(self, told: Callable[[Mapping[str, str]], None]) -> None:
        """Fill in all cells; `told` is called after each."""
        self._try("model", self._made)
        told(self.found)
        for cell, tried in self._cells().items() if self.found["model"] == "yes" else ():
            self._try(cell, tried)
            told(self.found)

    def _try(self, cell: str, tried: Callable[[], str | None]) -> None:
        try:
            self.found[cell] = tried() or "yes"
        except Exception as error:
            (self.directory / f"{cell}.log").write_text(traceback.format_exc())
            self.found[cell] = _why(error)

    def _made(self) -> None:
        self.base = Artifact("model/hf", write(self.name, self.directory / "model"), digest="sha256:base")

    def _cells(self) -> dict[str, Callable[[], str | None]]:
        if self.family.kind == "encoder":
            return {
                "lora": self.lora_of_classifier, "merge": self.merge_of_classifier, "classify": self.classify, "embed": self.embed,
                "bitsandbytes": self.bitsandbytes,
            }  # fmt: skip
        cells: dict[str, Callable[[], str | None]] = {
            "own decoder": self.own_decoder, "lora": self.lora, "packed": self.packed, "merge": self.merge,
            "transformers": self.serve, "bitsandbytes": self.bitsandbytes,
        }  # fmt: skip
        if self.family.sample:
            cells["hears" if self.family.group == "hears" else "sees"] = self.media
        return cells

    def own_decoder(self) -> str | None:
        from tunesmith_torch.model.model_impl import model_impl

        config = json.loads((self.base.path / "config.json").read_text("utf-8"))
        spec, (_, why) = model_impl(config, {"modules_only": 1.0}, "model/hf")
        return None if spec else f"no: {why}"

    def lora(self) -> str | None:
        adapter, self.losses, self.decided = self._trained("together", ROWS)
        if len(self.losses) != STEPS["max_steps"] or not all(map(math.isfinite, self.losses)) or self.losses[-1] >= self.losses[0]:
            return f"no: losses {self.losses}"
        self.adapter = adapter
        return None

    def packed(self) -> str | None:
        """Whether several sequences share a forward pass, and the losses are those of one at a time."""
        if self.adapter is None:
            return "no: it does not train"
        _, apart, _ = self._trained("apart", ROWS, max_tokens_per_microbatch=8)
        worst = max(abs(one - other) / other for one, other in zip(self.losses, apart, strict=True))
        if worst > SAME:
            return f"no: losses {worst:.1g} apart"
        alone = next((why for what, why in self.decided if what == "sequences run one by one"), "")
        return f"one by one: {alone}" if alone else None

    def merge(self) -> str | None:
        """Whether the merged model says what base and adapter say, read anew."""
        import torch

        from tunesmith_torch import merge
        from tunesmith_torch.api.model import load_model
        from tunesmith_torch.model.loader import load_base
        from tunesmith_torch.settings import MergeSettings

        if self.adapter is None:
            return "no: it does not train"
        tuned = Artifact("adapter/peft", self.adapter, digest="sha256:tuned", refs={"base": self.base})
        step = self._step("merge", build(MergeSettings, {}), {"model": tuned}, {"adapter": _lora()})
        merge.run(step)
        self.merged, adapter = step.output, _lora()
        beside = load_base(self.base, adapter)
        adapter.load(beside, self.adapter)
        ids = torch.tensor(IDS)
        with torch.no_grad():
            ours, plain = (load_model(path)(input_ids=ids).logits for path in (self.merged, self.base.path))
            off = float((ours - beside.eval()(input_ids=ids).logits).abs().max())
        if torch.equal(ours, plain):
            return "no: the merged model is the base"
        return None if off < 1e-3 else f"no: logits {off:.1g} from those of base and adapter"

    def serve(self) -> str | None:
        """Two requests at once to the default backend, in this process."""
        import httpx

        from tunesmith_sdk.local_step import LocalStep
        from tunesmith_serve.settings import ServeSettings
        from tunesmith_transformers.backend import TransformersBackend
        from tunesmith_transformers.settings import TransformersSettings

        step = LocalStep.make(self.directory / "serve", name="api", settings=ServeSettings())
        failed: list[BaseException] = []

        def served() -> None:
            try:
                artifact = Artifact("model/hf", self.merged or self.base.path)
                TransformersBackend(TransformersSettings(dtype="float32", kv_cache_gib=0.1)).serve(artifact, "tiny", Address(), step)
            except BaseException as error:
                failed.append(error)
            finally:
                step.reports.ready.set()

        thread = threading.Thread(target=served, daemon=True)
        thread.start()
        step.reports.ready.wait(120)
        if failed:
            raise failed[0]
        try:
            asked = {"model": "tiny", "prompt": ["What is a", "The quick brown fox"], "max_tokens": 6, "temperature": 0}
            answer = httpx.post(f"{step.reports.facts['url']}/completions", json=asked, timeout=60)
            counted = answer.json().get("usage", {}).get("completion_tokens", 0)
            return None if answer.status_code == 200 and counted else f"no: status {answer.status_code}: {answer.text[:100]}"
        finally:
            step.cancelled.set()
            thread.join(30)

    def bitsandbytes(self) -> str | None:
        """nf4, read anew."""
        import torch

        from tunesmith_bitsandbytes.quantizer import BitsAndBytes
        from tunesmith_bitsandbytes.settings import BitsAndBytesSettings
        from tunesmith_torch.api.model import load_model

        step = self._step("bitsandbytes", None, {"model": self.base}, {})
        BitsAndBytes(build(BitsAndBytesSettings, {"dtype": "float32"})).quantize(self.base, step.output, None, step)
        with torch.no_grad():
            logits = load_model(step.output)(input_ids=torch.tensor(IDS)).logits
        return None if bool(torch.isfinite(logits).all()) else "no: logits are not finite"

    def classify(self) -> str | None:
        return self._learns("classify", LABELLED, _classifier())

    def lora_of_classifier(self) -> str | None:
        self.adapter, losses, _ = self._trained("lora", LABELLED, _classifier(), _lora(), learning_rate=1e-3)
        return None if all(map(math.isfinite, losses)) else f"no: losses {losses}"

    def merge_of_classifier(self) -> str | None:
        """Whether transformers' classifier of the merged files gives the scores of base, adapter and head."""
        import torch
        from transformers import AutoModelForSequenceClassification

        from tunesmith_torch import merge
        from tunesmith_torch.model.encoder import load_classifier, put_head
        from tunesmith_torch.model.head_files import read_heads
        from tunesmith_torch.settings import MergeSettings

        if self.adapter is None:
            return "no: it does not train"
        tuned = Artifact("adapter/peft", self.adapter, digest="sha256:tuned", refs={"base": self.base})
        step, adapter = self._step("merge", build(MergeSettings, {}), {"model": tuned}, {"adapter": _lora()}), _lora()
        merge.run(step)
        (head,), weights = read_heads(self.adapter)
        beside = load_classifier(self.base.path, head, 0).eval()
        put_head(beside, weights)
        adapter.load(beside, self.adapter)
        ids = torch.tensor(IDS)
        with torch.no_grad():
            theirs = AutoModelForSequenceClassification.from_pretrained(step.output).eval()(input_ids=ids).logits
            off = float((theirs - beside(input_ids=ids).logits).abs().max())
        return None if off < 1e-4 else f"no: scores {off:.1g} apart"

    def embed(self) -> str | None:
        from tunesmith_embed.objective import Embedding
        from tunesmith_embed.settings import EmbedSettings

        return self._learns("embed", PAIRS, Embedding(EmbedSettings(pooling="mean")))

    def media(self) -> str | None:
        """Rows with a picture or a sound train."""
        hears = self.family.group == "hears"
        file = self.directory / ("tone.wav" if hears else "red.png")
        if hears:
            with wave.open(str(file), "wb") as sound:
                sound.setnchannels(1)
                sound.setsampwidth(2)
                sound.setframerate(8000)
                sound.writeframes(bytes(16000))
        else:
            from PIL import Image

            Image.new("RGB", (56, 56), (200, 30, 30)).save(file)
        part = {"type": "audio" if hears else "image", "path": str(file)}
        rows = [
            {"messages": [message("user", [{"type": "text", "text": f"{number}: "}, part]), message("assistant", "Red.")]}
            for number in range(8)
        ]
        _, losses, _ = self._trained("media", rows)
        return None if all(map(math.isfinite, losses)) and losses[-1] < losses[0] else f"no: losses {losses}"

    # --- how

    def _learns(self, name: str, rows: Sequence[Mapping[str, Any]], objective: Any) -> str | None:
        from tunesmith_full.adapter import Full
        from tunesmith_full.settings import FullSettings

        _, losses, decided = self._trained(name, rows, objective, Full(FullSettings()), learning_rate=1e-3)
        if not all(map(math.isfinite, losses)):
            return f"no: losses {losses}"
        alone = next((why for what, why in decided if what == "sequences run one by one"), "")
        return f"one by one: {alone}" if alone else None

    def _trained(
        self, name: str, rows: Sequence[Mapping[str, Any]], objective: Any = None, adapter: Any = None, **settings: Any
    ) -> tuple[Path, list[float], list[tuple[str, str]]]:
        """Where the result is, the losses, and what was decided."""
        from tunesmith_sft.objective import SupervisedTuning
        from tunesmith_single.strategy import SingleProcess
        from tunesmith_torch.settings import TrainSettings
        from tunesmith_torch.training.train import run
        from tunesmith_torch_optim.adamw import AdamW
        from tunesmith_torch_optim.settings import AdamWSettings

        data = self.directory / f"{name}-data"
        data.mkdir(exist_ok=True)
        (data / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        notices: list[tuple[str, dict[str, Any]]] = []
        providers = {
            "objective": objective or SupervisedTuning(), "adapter": adapter or _lora(), "strategy": SingleProcess(),
            "optimizer": AdamW(AdamWSettings()),
        }  # fmt: skip
        inputs = {"model": self.base, "data": Artifact("dataset/chat", data, digest="sha256:data")}
        step = self._step(name, build(TrainSettings, STEPS | settings), inputs, providers, notices)
        run(step)
        points = {told["at"]: told["value"] for method, told in notices if method == "$/metric" and told["name"] == "loss"}
        decided = [(str(told.get("what")), str(told.get("reason"))) for method, told in notices if method == "$/decision"]
        return step.output, [points[at] for at in sorted(points)], decided

    def _step(self, name: str, settings: Any, inputs: Any, providers: Any, notices: list[Any] | None = None) -> WorkerStep:
        output, work = (self.directory / name / folder for folder in ("output", "work"))
        output.mkdir(parents=True, exist_ok=True)
        work.mkdir(parents=True, exist_ok=True)
        kept: list[Any] = [] if notices is None else notices
        return WorkerStep(
            name=name, output=output, work=work, settings=settings, seed=7, inputs=inputs, providers=providers,
            notify=lambda method, params: kept.append((method, dict(params))),
        )  # fmt: skip


def _classifier() -> Any:
    from tunesmith_classify.settings import TextSettings
    from tunesmith_classify.texts import TextClassifier

    return TextClassifier(TextSettings(labels=["0", "1"]))


def _lora() -> Any:
    from tunesmith_lora.adapter import Lora
    from tunesmith_lora.settings import LoraSettings

    return Lora(LoraSettings(r=4, lora_alpha=8.0))


def _why(error: BaseException) -> str:
    if isinstance(error, TunesmithError):
        return f"refused: {error.code}"
    return f"no: {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"[:200]
