"""A good minimal quantizer: half the bits."""

import json
import shutil

import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import Result, UserError


class Provider:
    def quantize(self, model, output, calibration, step):
        if calibration is None:
            raise UserError("TS-QUANT-002", "there are no rows", fix="Give some.")
        step.check_cancelled()
        for path in [*model.path.glob("*.json"), *model.path.glob("*.jinja")]:
            shutil.copyfile(path, output / path.name)
        config = json.loads((output / "config.json").read_text()) | {"dtype": "bfloat16"}
        (output / "config.json").write_text(json.dumps(config))
        weights = load_file(model.path / "model.safetensors")
        halved = {name: value.to(torch.bfloat16) for name, value in weights.items()}
        (step.work / "part").write_text("half")
        save_file(halved, output / "model.safetensors", metadata={"format": "pt"})
        return Result(format="model/half")
