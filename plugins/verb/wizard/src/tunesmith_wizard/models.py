"""Models to begin with: those that are described here, what was made here, and any other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tunesmith.errors import TunesmithError
from tunesmith_cli.api import Session, language, size
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.api import BaseModel, installed_models
from tunesmith_wizard.interview import Interview
from tunesmith_wizard.machine import Machine
from tunesmith_wizard.question import Option, Question

_UNREACHABLE = "TS-MODEL-002"  # where models of a scheme come from can't be reached
_ROOM = 1.3  # bytes of memory for a byte of weights: keys, values and what is computed
_ON_A_PROCESSOR = 2e9  # parameters up to which answers come as fast as one reads
_SHOWN = 8


class Models:
    """What can be fetched from here is asked for once."""

    def __init__(self, session: Session, machine: Machine) -> None:
        self.session, self.machine = session, machine
        self.known, self.warnings = installed_models(session.registry)
        self._absent: dict[str, str] = {}

    def ask(self, interview: Interview, key: str, text: str) -> str:
        """The URI of a model."""
        suiting = list(islice(self._suiting(), _SHOWN))  # each is asked for: no more than are shown
        best = next(iter(suiting), None)
        options = [Option(model.uri, model.name, self._about(model)) for model in suiting]
        options.append(Option("other", _("another one: by its address, or a folder"), _("for example hf://Qwen/Qwen3-0.6B, or ./my-model")))
        reason = self._reason(best) if best else ""
        found = interview.choose(
            key,
            text,
            options,
            best.uri if best else "other",
            reason=reason,
            help=self._help(),
            check=lambda value: value if value == "other" else _address(value),
            open=True,
        )
        return self._typed(interview, key) if found == "other" else found

    def _typed(self, interview: Interview, key: str) -> str:
        while True:
            uri = interview.ask(Question(f"{key}.address", _("Its address, or its folder?"), check=_address, paths=True))
            try:
                with self.session.resolver() as resolve:
                    resolve(uri)
                return uri
            except TunesmithError as error:
                interview.trouble(error)
                if not interview.there:
                    raise

    def _suiting(self) -> Iterator[BaseModel]:
        """Models to talk with that fit here and can be fetched from here, those first that know the reader's language, then those that were
        made for no field or task of their own, then the largest that answer well enough on this device, then the newest."""
        most = float("inf") if self.machine.accelerated else _ON_A_PROCESSOR
        fitting = [model for model in self.known if model.template and model.bytes * _ROOM <= self.machine.free]

        def suits(one: BaseModel) -> tuple[object, ...]:
            general = not one.domains and not one.tasks
            return language() in one.languages, general, one.parameters <= most, one.parameters, one.released

        for model in sorted(fitting, key=suits, reverse=True):
            if "text" in model.modalities and self._there(model):
                yield model

    def _there(self, model: BaseModel) -> bool:
        scheme = model.uri.partition("://")[0]
        if scheme in self._absent or model.gated:
            return False
        try:
            with self.session.resolver() as resolve:
                resolve(model.uri)
        except TunesmithError as error:
            if error.code == _UNREACHABLE:
                self._absent[scheme] = error.what
            return False
        return True

    def _about(self, model: BaseModel) -> str:
        return _(
            "{billions} billion parameters, {size}, {licence}, languages: {languages}", billions=f"{model.billions:.3g}",
            size=size(model.bytes), licence=model.licence or _("licence not told"), languages=" ".join(model.languages) or "?",
        )  # fmt: skip

    def _reason(self, model: BaseModel) -> str:
        told = _("the largest of those known here that fits and can be fetched: {size}", size=size(model.bytes))
        return told if language() in model.languages else told + _("; it does not say that it knows your language")

    def _help(self) -> str:
        absent = [_("models of {scheme} can't be fetched from here", scheme=f"`{scheme}`") for scheme in self._absent]
        return "; ".join([_("this machine: {facts}", facts=self.machine.text), *absent])


def _address(text: str) -> str:
    if "://" not in text and not Path(text).expanduser().is_dir():
        raise ValueError(_("this is no address (scheme://place), and no folder"))
    return text
