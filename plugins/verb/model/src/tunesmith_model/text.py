"""What is known of a model, as a page for people, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunesmith_cli.api import columns, number, padded, size, terminal_width, text_width, translated, wrap
from tunesmith_cli.api import gettext as _
from tunesmith_model.chat import NO_TOKENIZER, NOT_HERE, NOT_INSTALLED, TOKENIZER
from tunesmith_model.source import CONFIGURATION, FILES

Told = Mapping[str, Any]
_MADE = ("quantizer", "exporter")


def page(told: Mapping[str, Any]) -> str:
    """
    Args:
        told: as `--json` prints it.
    """
    made, model = told["architecture"], told["model"]
    rows = [*_source(model), *_sizes(made), *_chat(told["chat"], model["uri"])]
    blocks = [_rows(rows)]
    if told["chat"]["example"]:
        shown = "\n".join(f"  | {line}" for line in told["chat"]["example"].split("\n"))
        blocks.append(_("a conversation as it reads it") + "\n" + shown)
    readers = [*_readers(told["formats"])]
    blocks.append(_rows(readers) if readers else _("nothing that is installed reads the format {format}", format=model["format"]))
    blocks.append(_("fits on") + "\n" + columns([_fit(one) for one in told["fits"]], "  "))
    remarks = [_("Training takes as much at a time as fits; `tunesmith estimate train` tells with how little it would do.")]
    if decoder := _decoder(told["fits"]):
        remarks.append(_("Training is computed with {what}", what=decoder))
    blocks.append("\n".join(line for remark in remarks for line in wrap(remark, terminal_width(), "", "  ")))
    return "\n\n".join(blocks)


def parameters(count: float) -> str:
    """So many in words: ``134.5 million``."""
    if count >= 1e12:
        return _("{count} trillion", count=f"{count / 1e12:.4g}")
    if count >= 1e9:
        return _("{count} billion", count=f"{count / 1e9:.4g}")
    return _("{count} million", count=f"{count / 1e6:.4g}") if count >= 1e6 else number(count)


def _source(model: Told) -> Iterator[tuple[str, str]]:
    yield _("model"), model["uri"] + (f"  {model['revision']}" if model["revision"] else "")
    weight = size(model["bytes"])
    if model["files"] > 1:
        weight = _("{size} in {count} files", size=weight, count=model["files"])
    yield _("format"), model["format"] + (f", {weight}" if model["bytes"] else "")
    licence = _("{licence} (says {who})", licence=model["licence"], who=model["licence_said_by"]) if model["licence"] else _("not told")
    yield _("licence"), licence + (", " + _("access has to be asked for") if model["gated"] else "")
    if model["languages"]:
        yield _("languages"), " ".join(model["languages"])
    if model["known_from"] != FILES:
        yield _("known"), _known(model)


def _known(model: Told) -> str:
    if model["known_from"] == CONFIGURATION:
        return _("of its configuration alone")
    if model["why"]:
        return _(
            "as {who} describes it, for its files could not be looked at: {why}", who=model["described_by"], why=translated(model["why"])
        )
    return _("as {who} describes it; its files were not looked at", who=model["described_by"])


def _sizes(made: Told) -> Iterator[tuple[str, str]]:
    name = f"{made['name']} ({made['family']})" if made["name"] and made["family"] else made["name"] or made["family"]
    yield _("architecture"), name or _("not told")
    if made["parameters"] is not None:
        count = parameters(made["parameters"])
        if made["experts"]:
            active, used = parameters(made["active_parameters"]), made["experts_used"]
            count += ", " + _("{active} compute a token: {used} of {experts} experts", active=active, used=used, experts=made["experts"])
        yield _("parameters"), count
    else:
        yield _("parameters"), _("not known: its configuration describes no decoder of a known family")
    if made["layers"]:
        yield _("layers"), _(
            "{layers} of width {width}, {heads} heads ({kv} of keys and values), vocabulary {vocabulary}", layers=made["layers"],
            width=made["hidden_size"], heads=made["heads"], kv=made["kv_heads"], vocabulary=made["vocabulary"],
        )  # fmt: skip
    context = _("{count} tokens", count=made["context"]) if made["context"] else _("not told")
    each = made["kv_bytes_per_token"]
    yield _("context"), context + (", " + _("each keeps {size} of keys and values in 16 bits", size=size(each)) if each else "")
    unsure = _("whether also {what} is not told", what=", ".join(made["not_told"])) if made["not_told"] else ""
    yield _("takes"), ", ".join(made["takes"]) + (f"; {unsure}" if unsure else "")
    if made["dtype"]:
        yield _("weights in"), made["dtype"]
    if made["code"]:
        yield _("code"), _("it brings code of its own ({names}), which is never run", names=", ".join(made["code"]))


def _chat(chat: Told, uri: str) -> Iterator[tuple[str, str]]:
    if chat["stops"]:
        yield _("stops at"), ", ".join(f"{one['token']} ({one['id']})" for one in chat["stops"])
    template = {True: _("it has one"), False: _("it has none: for completions, or to be trained"), None: _("not known")}[chat["template"]]
    ways = {
        NOT_HERE: _("its files are not here: `tunesmith download {uri} --output DIR` brings them", uri=uri),
        NO_TOKENIZER: _("it has no {file}", file=TOKENIZER),
        NOT_INSTALLED: _("to show it takes tunesmith-model[runtime]"),
    }  # fmt: skip
    why = ways.get(chat["why_not"]) or translated(chat["why_not"])
    yield _("chat template"), template + (f"; {why}" if why else "")
    if chat["remark"]:
        yield "", translated(chat["remark"])


def _readers(found: Mapping[str, Sequence[Told]]) -> Iterator[tuple[str, str]]:
    titles = {
        "quantizer": _("in fewer bits by"), "exporter": _("exported as"), "inference_backend": _("served as it is by"),
        "evaluator": _("judged by"),
    }  # fmt: skip
    for kind, every in found.items():
        can = [one for one in every if not one["why_not"]]
        names = [f"{one['name']} ({', '.join(one['makes'])})" if kind in _MADE else one["name"] for one in can]
        if can:
            yield titles.get(kind, kind), ", ".join(names)
        for one in every:
            if one["why_not"]:
                yield "", _("not {name}: {why}", name=one["name"], why=translated(one["why_not"]))


def _fit(one: Told) -> tuple[str, str, str]:
    chosen = ", ".join(dict.fromkeys(one["providers"].values()))
    where = _("{card}, the smallest card that does", card=one["on"]) if one["smallest"] else one["on"] or _("this machine")
    if one["fits"] is None:
        return where, one["verb"], _("not known what it needs") + f"  {chosen}"
    if not one["fits"] and one["why_not"]:
        return where, one["verb"], _("no: {why}", why=translated(one["why_not"]))
    needs = _("{needs} of {has}", needs=size(one["needs"]), has=size(one["has"]))
    needs += _(" and {needs} of the host's", needs=size(one["needs_of_host"])) if one["needs_of_host"] else ""
    return where, one["verb"], (needs if one["fits"] else _("no: {needs}", needs=needs)) + f"  {chosen}"


def _decoder(fits: Sequence[Told]) -> str:
    """What the engine says that it computes a training step with: the first of its decisions that names a model or a decoder."""
    said = (decision for one in fits if "adapter" in one["providers"] for decision in one["decisions"])
    found = next((one for one in said if "decoder" in one["what"] or "model" in one["what"].split()), None)
    return f"{translated(found['what'])}: {translated(found['reason'])}" if found else ""


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    """Two columns, the second wrapped."""
    width = max(text_width(name) for name, _ in rows) + 2
    lines: list[str] = []
    for name, words in rows:
        lines += wrap(words, terminal_width(), padded(name, width), " " * width)
    return "\n".join(lines)
