"""A good minimal adapter: each output of each linear layer is tilted by a factor of its own."""

import json
from contextlib import contextmanager

import torch
from safetensors.torch import load_file, save_file


class Tilted(torch.nn.Module):
    def __init__(self, base, tilt):
        super().__init__()
        self.base, self.tilt, self.enabled = base, torch.nn.Parameter(tilt), True
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x):
        out = self.base(x)
        return out * (1 + self.tilt) if self.enabled else out


class Provider:
    def attach(self, model, *, seed, reference=False):
        model.requires_grad_(False)
        drawn = torch.Generator().manual_seed(seed)
        for name, layer in linears(model):
            put(model, name, Tilted(layer, 0.01 * torch.randn(layer.out_features, generator=drawn)))

    @contextmanager
    def reference(self, model):
        for layer in tilted(model).values():
            layer.enabled = False
        yield model
        for layer in tilted(model).values():
            layer.enabled = True

    def save(self, model, directory):
        save_file({name: layer.tilt.detach() for name, layer in tilted(model).items()}, directory / "tilt.safetensors")
        (directory / "adapter_config.json").write_text(json.dumps({"kind": "tilt"}))

    def load(self, model, directory):
        model.requires_grad_(False)
        layers = dict(linears(model))
        for name, tilt in load_file(directory / "tilt.safetensors").items():
            put(model, name, Tilted(layers[name], tilt))

    def merge(self, model):
        for name, layer in tilted(model).items():
            layer.base.weight.data *= (1 + layer.tilt.detach())[:, None]
            put(model, name, layer.base)
        return model


def linears(model):
    return [(name, m) for name, m in model.named_modules() if isinstance(m, torch.nn.Linear) and "layers" in name]


def tilted(model):
    return {name: m for name, m in model.named_modules() if isinstance(m, Tilted)}


def put(model, name, module):
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, module)


def estimate(request):  # stands in a module of its own, too
    from tunesmith_models import ModelShape

    return {"trainable": sum(linear.outputs * linear.count for linear in ModelShape.of(request).linears)}
