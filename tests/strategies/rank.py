"""One rank of a training step, as a worker would run it: `python rank.py FOLDER MODEL RANK PROCESSES JSON`.

The JSON says what is trained by what: {"strategy", "objective", "adapter", "settings", "first_scale"}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, Placement
from tunesmith.contracts.settings import build
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.loss import loss_scaler
from tunesmith_torch.training.train import run
from tunesmith_torch_optim.adamw import AdamW
from tunesmith_torch_optim.settings import AdamWSettings

MEASURED = ("tokens_per_second", "sampled_tokens_per_second", "step_seconds", "peak_memory", "checkpoint_bytes")  # other each time


def strategy_of(spec: dict[str, Any], processes: int) -> Any:
    name, settings = spec.get("strategy", "single"), spec.get("strategy_settings", {})
    if name == "single":
        from tunesmith_single.strategy import SingleProcess

        return SingleProcess()
    if name == "ddp":
        from tunesmith_ddp.settings import ReplicaSettings
        from tunesmith_ddp.strategy import Replicas

        return Replicas(build(ReplicaSettings, {"num_processes": processes, "bucket_cap_mb": 0.01} | settings))
    if name.startswith("zero-"):
        from tunesmith_deepspeed.settings import ZeroSettings
        from tunesmith_deepspeed.strategy import Zero

        return Zero(build(ZeroSettings, {"num_processes": processes, "stage": int(name[-1])} | settings))
    if name == "megatron":
        return megatron(processes, settings)
    from tunesmith_fsdp.settings import ShardingSettings
    from tunesmith_fsdp.strategy import FullyShardedDataParallel

    return FullyShardedDataParallel(build(ShardingSettings, {"num_processes": processes} | settings))


def megatron(processes: int, settings: dict[str, Any]) -> Any:
    """The strategy, on processors."""
    sys.path.append(str(Path(__file__).parents[2] / "plugins" / "trainer_strategy" / "megatron" / "tests"))
    import cpu_redirect

    cpu_redirect.redirect()
    from tunesmith_megatron.settings import MegatronSettings
    from tunesmith_megatron.strategy import Megatron

    return Megatron(build(MegatronSettings, {"num_processes": processes} | settings))


def objective_of(spec: dict[str, Any]) -> Any:
    if spec.get("objective", "sft") == "sft":
        from tunesmith_sft.objective import SupervisedTuning

        return SupervisedTuning()
    settings = spec.get("objective_settings", {})
    if spec["objective"] == "grpo":
        from tunesmith_grpo.objective import GroupRelative
        from tunesmith_grpo.settings import GroupSettings

        return GroupRelative(build(GroupSettings, settings))
    if spec["objective"] == "ppo":
        from tunesmith_ppo.objective import ProximalPolicy
        from tunesmith_ppo.settings import ProximalSettings

        return ProximalPolicy(build(ProximalSettings, settings))
    if spec["objective"] == "online-dpo":
        from tunesmith_online_dpo.objective import OnlinePreference
        from tunesmith_online_dpo.settings import OnlinePreferenceSettings

        return OnlinePreference(build(OnlinePreferenceSettings, settings))
    if spec["objective"] == "kto":
        from tunesmith_kto.objective import KahnemanTversky
        from tunesmith_kto.settings import UtilitySettings

        return KahnemanTversky(build(UtilitySettings, settings))
    from tunesmith_dpo.objective import DirectPreference
    from tunesmith_dpo.settings import PreferenceSettings

    return DirectPreference(build(PreferenceSettings, settings))


def adapter_of(spec: dict[str, Any]) -> Any:
    if spec.get("adapter", "lora") == "full":
        from tunesmith_full.adapter import Full
        from tunesmith_full.settings import FullSettings

        return Full(FullSettings())
    if spec.get("adapter") == "freeze":
        from tunesmith_freeze.adapter import Freeze
        from tunesmith_freeze.settings import FreezeSettings

        return Freeze(FreezeSettings(trainable_layers=1))
    from tunesmith_lora.adapter import Lora
    from tunesmith_lora.settings import LoraSettings

    return Lora(build(LoraSettings, {"r": 4} | spec.get("adapter_settings", {})))


def main(home: Path, model: Path, rank: int, processes: int, spec: dict[str, Any]) -> None:
    metrics, said = {}, []

    def notify(method: str, params: dict[str, Any]) -> None:
        if method == "$/metric" and params["name"] not in MEASURED:
            metrics[f"{params['name']}@{params['at']}"] = params["value"]
        if method in ("$/log", "$/decision"):
            said.append(str(params))

    for folder in ("output", "work"):
        (home / folder).mkdir(exist_ok=True)
    strategy = strategy_of(spec, processes)
    loss_scaler.FIRST = spec.get("first_scale", loss_scaler.FIRST)
    step = WorkerStep(
        name="tune", output=home / "output", work=home / "work", settings=build(TrainSettings, spec["settings"]), seed=3, notify=notify,
        placement=Placement(rank=rank, processes=processes, rendezvous=f"file://{home / 'meet'}" if processes > 1 else ""),
        inputs={"model": Artifact("model/hf", model, digest="b"), "data": Artifact("dataset/chat", home / "data", digest="d")},
        providers={
            "objective": objective_of(spec), "adapter": adapter_of(spec), "strategy": strategy, "optimizer": AdamW(AdamWSettings()),
        },
    )  # fmt: skip
    trainings = []
    prepare = strategy.prepare
    strategy.prepare = lambda *given: trainings.append(prepare(*given)) or trainings[0]
    result = run(step)
    told = {"metrics": metrics, "result": dict(result.metrics), "said": said, "bytes": own_bytes(trainings[0])}
    (home / f"rank{rank}.json").write_text(json.dumps(told))


def own_bytes(training: Any) -> dict[str, int]:
    """What this rank holds of the parameters and of the optimizer's state."""

    def size(tensor: Any) -> int:
        local = tensor.to_local() if hasattr(tensor, "to_local") else getattr(tensor, "ds_tensor", tensor)
        return local.numel() * local.element_size()

    states = [value for state in training.optimizer.state.values() for value in state.values() if hasattr(value, "numel")]
    return {"parameters": sum(map(size, training.model.parameters())), "optimizer": sum(map(size, states))}


if __name__ == "__main__":
    folder, path, number, count, given = sys.argv[1:]
    main(Path(folder), Path(path), int(number), int(count), json.loads(given))
