"""A good minimal trainer strategy: one process."""

from contextlib import contextmanager

import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import Mesh


class Provider:
    def start(self, placement):
        return Mesh(torch.device("cpu"))

    def prepare(self, source, optimizer):
        model = source.load(torch.device("cpu"))
        return Training(model, optimizer(model))

    def sum(self, value):
        return value

    def any(self, said):
        return said

    def barrier(self):
        pass

    def finish(self):
        pass


class Training:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer

    def forward(self, batches):
        with torch.no_grad():
            return [self.model(batch) for batch in batches]

    def forward_backward(self, batches, loss):
        for number, batch in enumerate(batches):
            loss(self.model(batch), number).backward()
        self.agree()

    def agree(self):
        pass

    def clip(self, limit, scale=1.0):
        trained = [p for p in self.model.parameters() if p.requires_grad]
        for parameter in trained:
            parameter.grad.div_(scale)
        return float(torch.nn.utils.clip_grad_norm_(trained, limit))

    def step(self):
        self.optimizer.step()

    def zero_grad(self):
        self.optimizer.zero_grad()

    @contextmanager
    def whole(self):
        yield self.model

    def save_state(self, directory, *, optimizer=True):
        state = {}
        for name, p in self.trained():
            state[f"model/{name}"] = p.detach().clone()
            state |= {f"{name}/{key}": value for key, value in self.optimizer.state[p].items() if optimizer}
        self.write(state, directory / "state.safetensors")

    def write(self, state, path):
        save_file(state, path)

    def load_state(self, directory):
        state = load_file(directory / "state.safetensors")
        for name, p in self.trained():
            p.data.copy_(state[f"model/{name}"])
            mine = {key.partition("/")[2]: value.clone() for key, value in state.items() if key.startswith(f"{name}/")}
            self.optimizer.state[p] = mine

    def trained(self):
        return [(name, p) for name, p in self.model.named_parameters() if p.requires_grad]
