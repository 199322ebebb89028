"""What a check of an artifact against its parent says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith.errors import TunesmithError

_SHOWN = 4  # findings in a message

#: code -> (what is wrong, what to do)
CODES: Mapping[str, tuple[str, str]] = {
    "TS-AUDIT-001": (
        "holds matrices that are nothing but zeros",
        "Make it again; if it comes again, the library that wrote it is at fault.",
    ),
    "TS-AUDIT-002": ("holds numbers that are not finite", "Make it in float32 or bfloat16; float16 ends at 65504."),
    "TS-AUDIT-003": ("has not changed", "Look whether the adapter was trained, and whether it belongs to this base."),
    "TS-AUDIT-004": (
        "lacks tensors, or has others or other shapes than its parent",
        "Make it again; convert with a library that knows the architecture.",
    ),
    "TS-AUDIT-005": (
        "has another config than its parent",
        "Copy what differs from the parent's config.json or generation_config.json.",
    ),
    "TS-AUDIT-006": (
        "has another tokenizer or chat template than its parent",
        "Copy the tokenizer's files of the parent beside the weights.",
    ),
    "TS-AUDIT-007": ("holds other weights than its parent", "Make it again, and tell the author of the plugin that wrote it what differs."),
    "TS-AUDIT-008": (
        "has an embedding and a head that should be tied and are not equal",
        "Save it with tied weights, or with `tie_word_embeddings: false`.",
    ),
    "TS-GATE-001": (
        "gives other token ids for the same conversation",
        "Copy the tokenizer's files of the parent beside the weights.",
    ),
    "TS-GATE-002": (
        "computes something else than its parent",
        "Use more bits, smaller groups or more calibration rows, or another quantizer or exporter.",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:
        code: of `CODES`.
        what: which tensor, key or number, and how it differs.
        explained: whether it would be no fault if both compute the same: weights in another order, a template in other words.
    """

    code: str
    what: str
    explained: bool = False


@dataclass(frozen=True)
class Verdict:
    """
    Args:
        findings: what is wrong; none: it may be published.
        figures: what was measured: ``update_norm`` by layer, ``kl``, ``top1`` and the like.
        not_compared: what could not be looked at, each with the reason.
    """

    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    not_compared: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.findings

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(self.findings + other.findings, {**self.figures, **other.figures}, self.not_compared + other.not_compared)

    def unless_computed_alike(self) -> Verdict:
        """Without what is no fault of a model that computes as its parent does; that is told among the figures."""
        left = tuple(finding for finding in self.findings if not finding.explained)
        told = [finding.what for finding in self.findings if finding.explained]
        return Verdict(left, {**self.figures, "explained": told} if told else self.figures, self.not_compared)

    def error(self, name: str, kept: str = "") -> TunesmithError:
        """The refusal, under the first finding's code.

        Args:
            kept: where the files are that were not published.
        """
        code = self.findings[0].code
        same = [finding.what for finding in self.findings if finding.code == code]
        others = [finding.what for finding in self.findings if finding.code != code]
        what, fix = CODES[code]
        why = ". ".join(_listed([*same, *others]))
        return TunesmithError(code, f"{name} {what}, and is not published", why=f"{why}.", fix=f"{fix} {kept}".strip())


def _listed(sentences: list[str]) -> Iterator[str]:
    yield from sentences[:_SHOWN]
    if len(sentences) > _SHOWN:
        yield f"And {len(sentences) - _SHOWN} more"
