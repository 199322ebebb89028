"""By what processes may talk is known before they meet."""

from __future__ import annotations

import pytest

from tunesmith.contracts import UserError
from tunesmith_torch.api.processes import check_backend


@pytest.mark.parametrize(
    ("text", "device"), [("auto", "cpu"), ("gloo", "cpu"), ("nccl", "cuda"), ("cpu:gloo,cuda:nccl", "cuda"), ("GLOO", "cpu")]
)
def test_what_pytorch_has_is_taken(text, device):
    check_backend(text, device)


@pytest.mark.parametrize(("text", "device", "told"), [
    ("foo", "cuda", "PyTorch has none"), ("glo", "cpu", "Did you mean `gloo`"), ("nccl", "cpu", "for `cuda` or `rocm`"),
])  # fmt: skip
def test_what_it_has_not_is_refused(text, device, told):
    with pytest.raises(UserError, match="TS-TRAIN-063") as caught:
        check_backend(text, device)
    assert told in f"{caught.value} {caught.value.fix}"
