"""What the conformance kit can't know: the divergences by torch's `kl_div`."""

import torch
from torch.nn.functional import kl_div


def oracle(case, batch):
    """Summed over the tokens, of distributions of k + 1 outcomes."""
    teacher, student = (
        torch.cat([logs, torch.log1p(-logs.exp().sum(1, keepdim=True)).clamp(min=-11.512925464970229)], dim=1)
        for logs in (batch.teacher.log_probs, batch.candidates)
    )
    beta, share = case.settings["beta"], case.settings["sft_weight"]
    middle = torch.log(beta * teacher.exp() + (1 - beta) * student.exp())
    apart = beta * kl_div(middle, teacher, reduction="sum", log_target=True)
    apart = apart + (1 - beta) * kl_div(middle, student, reduction="sum", log_target=True)
    return (1 - share) * apart - share * batch.policy.sum()
