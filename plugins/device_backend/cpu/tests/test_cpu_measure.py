"""What the processor is measured to do: a figure for each dtype, and one for its memory."""

import pytest

from tunesmith_cpu import measure


def test_each_dtype_and_the_memory_have_a_figure(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("torch")
    for name, small in (("SIZE", 64), ("COPIED", 1 << 12), ("SECONDS", 0.001)):
        monkeypatch.setattr(measure, name, small)
    found = measure.measure(("float32", "bfloat16"))
    assert set(found) == {"flops", "bandwidth"}
    assert set(found["flops"]) == {"float32", "bfloat16"}
    assert min(*found["flops"].values(), found["bandwidth"]) > 0
