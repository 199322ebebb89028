"""model/gguf -> a folder for `ollama create`: the file as it is, and a Modelfile."""

from __future__ import annotations

import shutil
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step, UserError
from tunesmith_models.model_directory import gguf_in
from tunesmith_ollama.chat_template import turns_of
from tunesmith_ollama.estimate import check_context
from tunesmith_ollama.gguf_metadata import Speech, speech
from tunesmith_ollama.go_template import go_template
from tunesmith_ollama.modelfile import Instruction, modelfile
from tunesmith_ollama.settings import OllamaSettings
from tunesmith_ollama.turns import Turns

FILE = "model.gguf"
UNMARKED = "The model has no chat template: Ollama gives it the prompt as it is."


class OllamaExporter:
    def __init__(self, settings: OllamaSettings) -> None:
        self.settings = settings

    def export(self, source: Artifact, output: Path, step: Step) -> Result:
        """Write `model.gguf` and `Modelfile`.

        Raises:
            UserError: TS-MODEL-010 when the model lies in several files; TS-EXPORT-001, TS-EXPORT-002 as `Modelfile` has it.
        """
        file = gguf_in(source.path)
        if file is None:
            raise UserError(
                "TS-MODEL-010", f"The model lies in {len(list(source.path.glob('*.gguf')))} GGUF files; Ollama reads one.",
                fix="Join the parts with `llama-gguf-split --merge`.",
            )  # fmt: skip
        text = modelfile(self._instructions(speech(file), step))
        (output / "Modelfile").write_text(text, encoding="utf-8")
        step.check_cancelled()
        size = file.stat().st_size
        step.progress(0, size, what="copy weights", unit="B")
        shutil.copyfile(file, output / FILE)
        step.progress(size, size, what="copy weights", unit="B")
        return Result(metrics={"bytes": float(size)})

    def _instructions(self, said: Speech, step: Step) -> list[Instruction]:
        asked = self.settings
        check_context(asked.num_ctx, said.context or None)
        turns, notes = turns_of(said) if asked.template == "auto" and said.template else (None, [])
        for note in notes:
            step.log(note, "notice")
        if turns:
            step.decide("TEMPLATE from the model's chat template", _learnt(turns))
            if asked.system is not None and turns.system is None:
                raise UserError(
                    "TS-EXPORT-002", "`system` is given, and the model's chat template takes no system messages",
                    fix="Leave `system` out, or say how it is to be written, with a `template` in Go's form.",
                )  # fmt: skip
        elif asked.template == "auto":
            step.decide("no TEMPLATE", UNMARKED)
        template = go_template(turns) if turns else "" if asked.template in ("auto", "none") else asked.template
        stops = asked.stop if asked.stop is not None else _ends(turns)
        sampling = {
            name: value if (value := getattr(asked, name)) is not None else said.sampling.get(name)
            for name in ("temperature", "top_p", "top_k")
        }
        parameters = {**sampling, "num_ctx": asked.num_ctx}
        return [
            ("FROM", f"./{FILE}"),
            *([("TEMPLATE", template)] if template else []),
            *([("SYSTEM", asked.system)] if asked.system is not None else []),
            *(("PARAMETER stop", stop) for stop in stops),
            *((f"PARAMETER {name}", str(value)) for name, value in parameters.items() if value is not None),
        ]


def _ends(turns: Turns | None) -> list[str]:
    end = turns.assistant[1].strip() if turns else ""
    return [end] if end else []


def _learnt(turns: Turns) -> str:
    begins, ends = turns.head + turns.user[0], turns.user[1] + turns.generation
    return f"what it puts around messages was learnt from it, and held against it: {begins!r} before the user's, {ends!r} before the answer"
