"""A good minimal trainer strategy: one process."""

from contextlib import nullcontext

import torch


class Provider:
    def start(self, placement):
        return torch.device("cpu")

    def wrap(self, model, optimizer):
        return model, optimizer([(name, p) for name, p in model.named_parameters() if p.requires_grad])

    def accumulating(self, model, last):
        return nullcontext()

    def sum(self, value):
        return value

    def clip(self, model, limit):
        return float(torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], limit))

    def state(self, model, optimizer):
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        moments = {f"{name}/{key}": value for name, p in named for key, value in optimizer.state[p].items()}
        return {"model": {name: p.detach() for name, p in named}, "optimizer": moments}

    def load_state(self, model, optimizer, state):
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.data.copy_(state["model"][name])
                mine = {key.partition("/")[2]: value.clone() for key, value in state["optimizer"].items() if key.startswith(f"{name}/")}
                optimizer.state[p] = mine

    def barrier(self):
        pass

    def finish(self):
        pass
