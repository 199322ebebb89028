"""A good minimal trainer strategy: a process a rank, gradients summed after the last micro-batch."""

from contextlib import contextmanager

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file

from tunesmith.contracts import Mesh


class Provider:
    def start(self, placement):
        dist.init_process_group("gloo", init_method=placement.rendezvous, rank=placement.rank, world_size=placement.processes)
        return Mesh(torch.device("cpu"), placement.rank, placement.processes)

    def prepare(self, source, optimizer):
        model = source.load(torch.device("cpu"))
        return Training(model, optimizer(model))

    def sum(self, value):
        total = value.clone()
        agree(total)
        return total

    def any(self, said):
        heard = torch.tensor(float(said))
        agree(heard)
        return bool(heard > 0)

    def barrier(self):
        dist.barrier()

    def finish(self):
        dist.destroy_process_group()


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
        for _, p in self.trained():
            agree(p.grad)

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
        if dist.get_rank() == 0:
            save_file(state, path)

    def load_state(self, directory):
        state = load_file(directory / "state.safetensors")
        for name, p in self.trained():
            p.data.copy_(state[f"model/{name}"])
            mine = {key.partition("/")[2]: value.clone() for key, value in state.items() if key.startswith(f"{name}/")}
            self.optimizer.state[p] = mine

    def trained(self):
        return [(name, p) for name, p in self.model.named_parameters() if p.requires_grad]


def agree(tensor):
    dist.all_reduce(tensor)


def estimate(request):
    count = request.settings["processes"]
    return {"reduce_step": 2 * (count - 1) / count}


def variants(request):
    return [{"processes": len(request.devices)}]
