"""What the conformance kit can't know: a model that Megatron trains, and a processor that answers where it calls for CUDA."""

REPORTED = "$/metric"


def training(case, build, placement):
    """A step of the training engine, by one process."""
    import cpu_redirect

    from tunesmith.contracts import Artifact
    from tunesmith.contracts.settings import build as settings_of
    from tunesmith.isolation.worker_step import WorkerStep
    from tunesmith_full.adapter import Full
    from tunesmith_full.settings import FullSettings
    from tunesmith_sft.objective import SupervisedTuning
    from tunesmith_torch.settings import TrainSettings
    from tunesmith_torch.training.train import run
    from tunesmith_torch_optim.adamw import AdamW
    from tunesmith_torch_optim.settings import AdamWSettings

    cpu_redirect.redirect()
    losses, optimizer = [], AdamW(AdamWSettings())
    folders = [case.directory / name for name in ("output", "work")]
    for folder in folders:
        folder.mkdir()
    step = WorkerStep(
        name="tune", output=folders[0], work=folders[1], seed=3, placement=placement,
        settings=settings_of(TrainSettings, {"max_steps": 2, "batch_size": 4, "logging_steps": 1, "dtype": "float32"}),
        inputs={
            "model": Artifact("model/hf", case.material("blank"), digest="b"),
            "data": Artifact("dataset/chat", case.material("rows"), digest="d"),
        },
        providers={"objective": SupervisedTuning(), "adapter": Full(FullSettings()), "strategy": build(), "optimizer": optimizer},
        notify=lambda method, said: losses.append(said["value"]) if method == REPORTED and said["name"] == "train_loss" else None,
    )  # fmt: skip
    run(step)
    return losses
