"""PEFT's tuners, in place on a model.

`PeftAdapter` is what distributions with one method build on; `Peft` takes any by its name. The maths, the layers and the files are PEFT's;
the model stays what it is, with some of its layers replaced, so that the engine packs sequences and calls it as it does any other. PEFT's
wrapper around it is kept aside, for what PEFT hangs on it: saving, loading, merging, switching off.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args, get_type_hints

import peft
import torch
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from peft.tuners.lora.layer import ParamWrapper
from peft.tuners.tuners_utils import BaseTunerLayer

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_peft import files
from tunesmith_peft.compiled_extensions import compiled, sparing
from tunesmith_peft.methods import ALL, check, modules_only
from tunesmith_peft.settings import PeftSettings
from tunesmith_torch.api.layers import targets as layers_of

NAME = "default"  #: PEFT's own name for an adapter that has none
_CLOSE = 1e-3


class PeftAdapter:
    """One method of PEFT.

    Args:
        method: PEFT's type in small letters.
        options: for PEFT's configuration class; `check` has seen them.
        targets: names of linear layers as every adapter takes them, instead of the option `target_modules`.
    """

    def __init__(self, method: str, options: Mapping[str, Any], targets: Sequence[str] | None = None) -> None:
        self.method, self.options, self.targets = method, dict(options), targets
        self._wrapped: peft.PeftModel | None = None
        self._before: list[tuple[torch.nn.Parameter, torch.Tensor]] = []

    @property
    def modules_only(self) -> bool:
        return modules_only(self.method, self.options)

    @property
    def wrapped(self) -> Any:
        """PEFT's model around the one that this was attached to or loaded on."""
        if self._wrapped is None:
            raise TunesmithError("TS-TRAIN-034", "The adapter is on no model yet", fix="Call `attach` or `load` first.")
        return self._wrapped

    def config(self, model: torch.nn.Module) -> peft.PeftConfig:
        """PEFT's configuration for `model`.

        Raises:
            UserError: TS-TRAIN-010 when a target names no linear layer.
        """
        options = dict(self.options)
        if self.targets is not None:
            options["target_modules"] = sorted(layers_of(model, self.targets))
        types = {type_.value.lower(): config for type_, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
        return _built(types[self.method], options)

    def attach(self, model: torch.nn.Module, *, seed: int, reference: bool = False) -> None:
        """Raises:
        UserError: TS-TRAIN-032 when PEFT can't put the method on this model; TS-TRAIN-035 when a reference is asked for and the
            method rewrites the base.
        """
        model.requires_grad_(False)
        valued = not any(parameter.is_meta for parameter in model.parameters())  # else another process checks the same model
        base, wanted = set(model.parameters()), _outputs(model) if reference and valued else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._put_on(model)
        if reference:
            self._before = [(p, p.detach().clone()) for p in model.parameters() if p in base and p.requires_grad]
        if wanted is not None:
            with self.reference(model):
                apart = (_outputs(model) - wanted).abs().max()
            if apart > _CLOSE * wanted.abs().max():
                raise rewritten(self.method)

    def _put_on(self, model: torch.nn.Module, config: peft.PeftConfig | None = None) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice for notebooks
            try:
                config = config or self.config(model)
                sparing(config)
                self._wrapped = peft.PeftModel(model, config, adapter_name=NAME)
                self._wrapped.train(model.training)  # new layers begin in training mode
                compiled(config, model.modules())
                for module in model.modules():
                    if isinstance(module, ParamWrapper):
                        module.reached = [module.get_param()]  # of those of its base
            except UserError:
                raise
            except (ValueError, TypeError, KeyError, NotImplementedError, ImportError, RuntimeError) as error:
                raise UserError(
                    "TS-TRAIN-032", f"PEFT can't put `{self.method}` on a {type(model).__name__}", why=" ".join(str(error).split()),
                    fix="Change the setting or the layers that the reason names.",
                ) from error  # fmt: skip

    @contextmanager
    def reference(self, model: torch.nn.Module) -> Iterator[torch.nn.Module]:
        """PEFT's layers are switched off; biases that train are as they were."""
        tuner = self.wrapped.base_model
        training = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
        trained = [(parameter, parameter.data) for parameter, _ in self._before]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tuner.disable_adapter_layers()
        for parameter, before in self._before:
            parameter.data = before.to(parameter.dtype)
        try:
            yield model
        finally:
            for parameter, value in trained:
                parameter.data = value
            tuner.enable_adapter_layers()
            for parameter, flag in training:  # PEFT takes the flags away with the layers, and gives all of them back
                parameter.requires_grad = flag

    def save(self, model: torch.nn.Module, directory: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            files.write(self.wrapped, directory)

    def load(self, model: torch.nn.Module, directory: Path) -> None:
        """The files say the method and its options: the settings have no part in it."""
        model.requires_grad_(False)
        config = files.read_config(directory)
        with torch.random.fork_rng(devices=[]):
            self._put_on(model, config)
        files.read_weights(self.wrapped, directory)

    def merge(self, model: Any) -> Any:
        """An output head that shares its matrix with the embedding gets one of its own where only one of the two is adapted.

        Raises:
            UserError: TS-TRAIN-036 when the method can't be folded into matrices.
        """
        _untie(model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return self.wrapped.merge_and_unload()
            except (NotImplementedError, ValueError, AttributeError) as error:
                raise UserError(
                    "TS-TRAIN-036", f"PEFT can't merge `{self.method}`", why=" ".join(str(error).split()) or "It has no merged form.",
                    fix="Serve the adapter beside its base, or train with another method.",
                ) from error  # fmt: skip


class Peft(PeftAdapter):
    """The adapter `peft`: any method by its name."""

    def __init__(self, settings: PeftSettings) -> None:
        options = check(settings.peft_type, settings.options)
        everywhere = options.get("target_modules") == ALL  # of the language part, where PEFT would take a vision tower's as well
        super().__init__(settings.peft_type, options, targets=[ALL] if everywhere else None)


def rewritten(method: str) -> UserError:
    return UserError(
        "TS-TRAIN-035", f"`{method}` with these options can't give back the model as it was before training",
        why="It changes the base's own weights where it begins, and the objective compares with the base.",
        fix="Begin in another way (without `init_lora_weights`, for example), or use an objective that needs no reference.",
    )  # fmt: skip


def _built(config: type, options: Mapping[str, Any]) -> Any:
    """A configuration of PEFT's from plain values: mappings become the configurations that lie in it."""
    hints = get_type_hints(config)
    values = dict(options)
    for name, value in options.items():
        inner = [hint for hint in (hints[name], *get_args(hints[name])) if dataclasses.is_dataclass(hint)]
        if isinstance(value, Mapping) and inner:
            values[name] = _built(inner[0], value)
    return config(**values)


@torch.no_grad()
def _outputs(model: Any) -> torch.Tensor:
    embedding = model.get_input_embeddings()
    tokens = torch.arange(8, device=embedding.weight.device)[None] % embedding.weight.shape[0]
    training = model.training
    model.eval()
    values = model(input_ids=tokens, use_cache=False).logits.float()
    model.train(training)
    return values


def _untie(model: Any) -> None:
    ends = [model.get_input_embeddings(), model.get_output_embeddings()]
    bases = [end.get_base_layer() if isinstance(end, BaseTunerLayer) else end for end in ends]
    adapted = [base is not end for base, end in zip(bases, ends, strict=True)]
    if any(adapted) and not all(adapted) and bases[0].weight is bases[1].weight:
        bases[1].weight = torch.nn.Parameter(bases[1].weight.detach().clone(), requires_grad=False)
        model.config.tie_word_embeddings = False
