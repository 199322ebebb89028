"""docs/conformance/model-impl.md: which model a training step computes with, as the plan says it."""

from __future__ import annotations

import model_impl_table as tool

from tunesmith_torch.model.model_impl import ENGINE


def test_it_says_what_plans_say() -> None:
    assert tool.PAGE.read_text("utf-8") == tool.page(tool.decided()), "run `python tools/model_impl_table.py`"


def test_adapters_that_keep_to_modules_are_served_in_every_family() -> None:
    cells = tool.decided()
    served = {adapter for (_, adapter, _), (what, _) in cells.items() if what == ENGINE}
    assert served >= {"full", "freeze", "lora", "qlora", "dora"}
    assert served < {adapter for _, adapter, _ in cells}
    families = {family for family, _, _ in cells} - {tool.OTHER}
    assert [cell for cell in cells if cell[0] in families and cell[1] in served and cells[cell][0] != ENGINE] == []


def test_what_goes_elsewhere_has_a_reason() -> None:
    reasons = {why for what, why in tool.decided().values() if what != ENGINE}
    assert reasons
    assert all(len(why.split()) > 5 for why in reasons)
