"""What an objective learns from may be written by the model while it trains: sampled, scored, learned from, and resumed exactly."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from reinforcement import ROWS, Dies, Vowels, adapter, dying, ledger

from tunesmith.contracts import Artifact, TunesmithError, UserError
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.api import Head, Rollout, Sampling, Score
from tunesmith_torch.data.packing import Wanted, pack
from tunesmith_torch.model.dense.loader import load_dense
from tunesmith_torch.model.loader import load_model
from tunesmith_torch.model.log_probs import LOG_PROBS
from tunesmith_torch.training.experience import collection as collections
from tunesmith_torch.training.experience.groups import sequence_of
from tunesmith_torch.training.experience.preflight import preflight
from tunesmith_torch.training.experience.rollout_ledger import ROLLOUTS
from tunesmith_torch.training.experience.token_choice import choose


def test_what_is_trained_on_is_what_was_sampled_and_the_ledger_has_all_of_it(bench):
    objective = Vowels(temperature=0.7)
    output, _ = bench.train({"batch_size": 3}, rows=ROWS, objective=objective)
    lines = ledger(output)
    assert [line["completion"] for line in lines] == [list(one.completion) for one in objective.seen[: 3 * 4]] + [
        list(one.completion) for one in objective.seen[-3 * 4 :]
    ]  # fmt: skip
    assert {line["version"] for line in lines} == {0, 1}
    model = load_model(bench.base)  # LoRA begins with no change: the first policy is the base
    for line, rollout in zip(lines[:8], objective.seen[:8], strict=True):
        sequence = sequence_of(rollout)
        given = torch.log_softmax(model(torch.tensor([sequence.tokens])).logits[0].float() / 0.7, 1)
        wanted = given[len(rollout.prompt) - 1 : -1].gather(1, torch.tensor(rollout.completion)[:, None])[:, 0]
        assert line["log_probs"] == pytest.approx(wanted.tolist(), abs=1e-4)
    assert (objective.opened, objective.closed) == (1, 1)
    assert any("sampler and training step agree" in params.get("what", "") for _, params in bench.notices)


def test_an_optimizer_step_is_replayed_from_the_ledger_and_the_policy_before_it(bench):
    """Loss and gradient norm of the second step, from nothing but what the artifacts hold."""
    settings = {"batch_size": 3, "lr_scheduler_type": "constant", "max_grad_norm": 1e9}
    output, _ = bench.train(settings, rows=ROWS, objective=Vowels(temperature=0.7), name="whole")
    loss, norm = bench.series("loss")[1], bench.series("grad_norm")[1]
    before, _ = bench.train({**settings, "max_steps": 1}, rows=ROWS, objective=Vowels(temperature=0.7), name="before")
    model = load_model(bench.base)
    Lora(LoraSettings(r=4, lora_alpha=8.0)).load(model, before)
    parameters = [value for value in model.parameters() if value.requires_grad]
    told = [line for line in ledger(output) if line["version"] == 1 and line["reward"] is not None]
    total = torch.zeros(())
    for line in told:
        logs = torch.log_softmax(model(torch.tensor([[*line["prompt"], *line["completion"]]])).logits[0].float() / 0.7, 1)
        own = logs[len(line["prompt"]) - 1 : -1].gather(1, torch.tensor(line["completion"])[:, None])
        total = total - line["reward"] * own.sum() / len(told)
    total.backward()
    assert total.item() == pytest.approx(loss, rel=1e-4)
    assert float(torch.stack([one.grad.norm() for one in parameters]).norm()) == pytest.approx(norm, rel=1e-3)


def test_the_result_has_the_reward_of_the_last_steps(bench):
    _, result = bench.train({"batch_size": 2}, rows=ROWS, objective=Vowels())
    assert result.metrics["reward"] == pytest.approx(sum(bench.series("reward")) / 3)


def test_what_junk_scores_is_told_and_warned_of_where_it_wins_not_where_it_only_ties():
    for of_junk, told in ((3, False), (4, True)):
        logged, decided = [], []
        groups = [[Rollout(1, at, 0, [1], [2], [-1.0], f"text {at}", True, {}, score=Score(float(at))) for at in range(4)]]
        step = SimpleNamespace(
            decide=lambda what, why, decided=decided: decided.append(what), log=lambda text, _, logged=logged: logged.append(text)
        )
        preflight(step, groups, lambda junk, of_junk=of_junk: [Score(float(of_junk)) for _ in junk], 0.1)
        assert any("junk scores higher" in text for text in logged) == told
        assert any(what.startswith(f"what junk scores: an empty text {of_junk}; the longest text {of_junk};") for what in decided)


def test_unscored_completions_are_not_learned_from_and_are_told_of(bench):
    output, _ = bench.train({"batch_size": 6}, rows=ROWS, objective=Vowels())
    (line,) = [json.loads(text) for text in (output / "samples.jsonl").read_text().splitlines()]
    assert sorted(line["rows"]) == [1, 2, 3, 5, 6]
    assert bench.series("unscored") == [pytest.approx(1 / 6)]
    assert [line["reward"] for line in ledger(output) if line["row"] == 4] == [None] * 4


class Choosy(Vowels):
    """Rewards nothing until the second time."""

    def score(self, rollouts):
        return [Score(float(one.attempt and one.sample)) for one in rollouts]


def test_prompts_without_a_gradient_are_completed_anew_and_a_run_goes_on_with_what_came_of_the_last_time(bench):
    sampling = {"max_resamplings": 3, "num_iterations": 2}
    settings = {"batch_size": 3, "save_steps": 1}
    output, _ = bench.train(settings, rows=ROWS, objective=Choosy(**sampling), name="whole")
    lines = ledger(output)
    kept, dropped = ([line for line in lines if line.get("dropped", False) is wanted] for wanted in (False, True))
    assert {line["attempt"] for line in kept} == {1}  # not more often than it takes
    assert {line["attempt"] for line in dropped} == {0}
    assert [(line["row"], line["sample"]) for line in kept] == [(line["row"], line["sample"]) for line in dropped]
    assert all(new["completion"] != old["completion"] for new, old in zip(kept[:4], dropped[:4], strict=True))
    assert bench.series("frac_reward_zero_std") == [0.0] * 4
    assert bench.series("frac_resampled") == [1.0] * 4

    killed = Choosy(**sampling)
    killed.loss = dying(killed.loss, 4)
    with pytest.raises(Dies):
        bench.train(settings, rows=ROWS, objective=killed, name="again")
    again, _ = bench.train(settings, rows=ROWS, objective=Choosy(**sampling), name="again")
    for name in ("adapter_model.safetensors", ROLLOUTS):
        assert (again / name).read_bytes() == (output / name).read_bytes()


def test_a_prompt_that_never_gives_a_gradient_is_given_up(bench):
    class Dull(Vowels):
        def score(self, rollouts):
            return [Score(1.0) for _ in rollouts]

    output, _ = bench.train({"batch_size": 3, "max_steps": 1}, rows=ROWS, objective=Dull(max_resamplings=2))
    assert [line["attempt"] for line in ledger(output)] == [2] * 12 + ([0] * 4 + [1] * 4) * 3


class Grows(Vowels):
    """Measures what a head and the reference say, in batches that are divided anew, and counts the collections in its state."""

    def __init__(self, **sampling) -> None:
        super().__init__(**({"measured": True} | sampling))
        self.asks = replace(self.asks, reference=True, heads=(Head("value", zeros=True),))
        self.states, self.learned = [], []

    def initial_state(self):
        return {"collections": torch.zeros(())}

    def adapted(self, state, rollouts):
        return {"collections": state["collections"] + len(rollouts) / 100}

    def learn(self, rollouts, state):
        self.states.append(float(state["collections"]))
        self.learned += [one for group in rollouts for one in group]
        return super().learn(rollouts, state)

    def loss(self, batch):
        assert batch.reference is None
        assert batch.scores["value"].shape == (sum(batch.lengths), 1)
        result = super().loss(batch)
        return replace(result, total=result.total + (batch.scores["value"] - 1).square().sum())

    def formula(self, batch):
        return super().formula(batch) + (batch.scores["value"] - 1).square().sum() / sum(map(self.weight, batch.groups))


def test_what_head_and_reference_say_before_the_first_step_is_measured_and_a_state_goes_on(bench):
    sampling = {"num_iterations": 2, "steps_per_generation": 2, "shuffle": True}
    objective = Grows(**sampling)
    settings = {"batch_size": 2, "num_train_epochs": 2, "save_steps": 1}
    output, _ = bench.train(settings, rows=ROWS, objective=objective, name="whole")
    assert objective.states == pytest.approx([0, 0, 0.04, 0.08])  # the first: of the example
    first, last = objective.learned[2], objective.learned[-1]
    assert first.reference == pytest.approx(first.old, abs=1e-6)  # LoRA begins with no change, the head with zeros
    assert first.heads["value"] == [0.0] * len(first.completion)
    assert last.reference != last.old
    assert any(last.heads["value"])
    lines = ledger(output)
    assert lines[-1]["heads"] == {"value": list(last.heads["value"])}
    assert lines[-1]["reference"] == list(last.reference)
    rows = [json.loads(text)["rows"] for text in (output / "samples.jsonl").read_text().splitlines()][:4]
    assert sorted(rows[0] + rows[1]) == sorted(rows[2] + rows[3])
    assert sorted(rows[0]) != sorted(rows[2])

    killed = Grows(**sampling)
    killed.loss = dying(killed.loss, 8)
    with pytest.raises(Dies):
        bench.train(settings, rows=ROWS, objective=killed, name="again")
    again, _ = bench.train(settings, rows=ROWS, objective=Grows(**sampling), name="again")
    for name in ("adapter_model.safetensors", "heads.safetensors", ROLLOUTS):
        assert (again / name).read_bytes() == (output / name).read_bytes()


def test_training_that_goes_on_from_an_adapter_goes_on_with_its_heads(bench):
    output, _ = bench.train({"max_steps": 2, "batch_size": 2}, rows=ROWS, objective=Grows(), name="before")
    model = bench.base
    bench.base = Artifact("adapter/peft", output, digest="sha256:adapter", refs={"base": model})
    objective = Grows()
    bench.train({"max_steps": 1, "batch_size": 2}, rows=ROWS, objective=objective, name="after")
    assert any(objective.learned[2].heads["value"])


def test_an_objective_that_samples_and_cannot_learn_is_refused_before_a_model_is_loaded(bench):
    class Deaf(Vowels):
        learn = None

    with pytest.raises(TunesmithError, match=r"TS-TRAIN-126.*no `learn`"):
        bench.train(rows=ROWS, objective=Deaf())


def test_a_step_does_not_depend_on_how_completions_are_cut_into_micro_batches(bench):
    for budget in (4096, 20):
        bench.train(
            {"batch_size": 3, "max_steps": 1, "max_tokens_per_microbatch": budget}, rows=ROWS, objective=Vowels(), name=f"b{budget}"
        )
    found = {
        name: [params["value"] for method, params in bench.notices if method == "$/metric" and params["name"] == name]
        for name in ("loss", "grad_norm")
    }
    assert found["loss"][0] == pytest.approx(found["loss"][1], rel=1e-5)
    assert found["grad_norm"][0] == pytest.approx(found["grad_norm"][1], rel=1e-4)


@pytest.mark.parametrize("together", [True, False])
def test_completions_that_a_loss_compares_stay_in_one_group(bench, together):
    class Counts(Vowels):
        def loss(self, batch):
            groups.append(len(batch.groups[0].sequences))
            return super().loss(batch)

    groups = []
    settings = {"batch_size": 1, "max_steps": 1, "max_tokens_per_microbatch": 20}
    bench.train(settings, rows=ROWS, objective=Counts(together=together))
    assert (groups[1:] == [4]) == together  # the first is the example's


def test_the_engines_decoder_and_transformers_sample_the_same(bench, tiny):
    from tunesmith_torch.training.experience.sampler import Sampler

    found = []
    for model in (load_dense(tiny, torch.device("cpu")), load_model(bench.base)):
        trainable = SimpleNamespace(
            model=model.eval(), compute=torch.float32, training=False, others={}, eval=lambda: None, train=lambda mode: None
        )  # fmt: skip
        sampling = Sampling(num_generations=3, max_completion_length=9, top_p=0.95)
        sampler = Sampler(trainable, sampling, [2], lambda tokens: "", torch.device("cpu"), lambda: None)
        found.append(sampler([[1, 5, 9], [1, 7, 8, 30, 12]], [(0, 0), (0, 1)]))
    for own, other in zip(*found, strict=True):
        assert [one.tokens for one in own] == [one.tokens for one in other]
        for one, another in zip(own, other, strict=True):
            assert one.log_probs == pytest.approx(another.log_probs, abs=1e-4)
    assert len({tuple(one.tokens) for own in found[0] for one in own}) > 1


SLOW = pytest.mark.slow


@pytest.mark.parametrize("fails_at", ["sample", pytest.param("score", marks=SLOW), pytest.param("update", marks=SLOW)])
def test_a_run_that_is_interrupted_anywhere_comes_to_the_same_adapter_and_ledger(bench, monkeypatch, fails_at):
    settings = {"batch_size": 2, "save_steps": 1, "num_train_epochs": 2}
    sampling = {"num_iterations": 2, "steps_per_generation": 2}
    whole, _ = bench.train(settings, rows=ROWS, objective=Vowels(**sampling), name="whole")

    objective = Vowels(**sampling)
    if fails_at == "score":
        objective.score = dying(objective.score, 3)
    elif fails_at == "update":
        objective.loss = dying(objective.loss, 8)
    else:
        monkeypatch.setattr(collections.Sampler, "__call__", dying(collections.Sampler.__call__, 2))
    with pytest.raises(Dies):
        bench.train(settings, rows=ROWS, objective=objective, name="again")
    again, _ = bench.train(settings, rows=ROWS, objective=Vowels(**sampling), name="again")
    assert any("goes on from step" in params.get("what", "") for _, params in bench.notices)
    assert adapter(again) == adapter(whole)
    assert (again / ROLLOUTS).read_bytes() == (whole / ROLLOUTS).read_bytes()


class Threaded(Vowels):
    """Notes the threads that score, and the losses that were computed before each call."""

    def __init__(self, **sampling) -> None:
        super().__init__(**sampling)
        self.calls, self.losses = [], 0

    def score(self, rollouts):
        self.calls.append((threading.current_thread().name.partition("_")[0], {one.version for one in rollouts}))
        return super().score(rollouts)

    def loss(self, batch):
        self.losses += 1
        return super().loss(batch)


@pytest.mark.parametrize("fails_at", ["sample", pytest.param("score", marks=SLOW), pytest.param("update", marks=SLOW)])
def test_a_collection_is_written_ahead_and_a_run_that_is_interrupted_finds_it(bench, monkeypatch, fails_at):
    settings = {"batch_size": 2, "save_steps": 1, "num_train_epochs": 2}
    sampling = {"num_iterations": 2, "one_step_off_policy": True}
    objective = Threaded(**sampling)
    whole, _ = bench.train(settings, rows=ROWS, objective=objective, name="whole")
    versions = {line["collection"]: line["version"] for line in ledger(whole)}
    assert versions == {0: 0, 1: 0, 2: 2, 3: 4, 4: 6, 5: 8}
    ahead = [versions for thread, versions in objective.calls if thread == "scoring"]
    assert ahead == [{0}, {2}, {4}, {6}, {8}]
    assert len(objective.calls) - len(ahead) in (1, 2)  # the first collection, and what junk scores
    lines = ledger(whole)
    assert all(line["old"] != line["log_probs"] for line in lines if line["collection"] == 3)

    objective = Threaded(**sampling)
    if fails_at == "score":
        objective.score = dying(objective.score, 4)
    elif fails_at == "update":
        objective.loss = dying(objective.loss, 8)
    else:
        monkeypatch.setattr(collections.Sampler, "__call__", dying(collections.Sampler.__call__, 4))
    with pytest.raises(Dies):
        bench.train(settings, rows=ROWS, objective=objective, name="again")
    again, _ = bench.train(settings, rows=ROWS, objective=Threaded(**sampling), name="again")
    assert any("goes on from step" in params.get("what", "") for _, params in bench.notices)
    assert adapter(again) == adapter(whole)
    assert (again / ROLLOUTS).read_bytes() == (whole / ROLLOUTS).read_bytes()


def test_prompts_that_leave_no_room_and_settings_of_rows_are_refused(bench):
    with pytest.raises(UserError, match="TS-TRAIN-120"):
        bench.train({"max_length": 8}, rows=ROWS, objective=Vowels())
    with pytest.raises(UserError, match="TS-TRAIN-122"):
        bench.train({"validation_split": 0.5}, rows=ROWS, objective=Vowels())


def test_tokens_are_drawn_with_their_probabilities_and_only_those_allowed():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).repeat(1000, 1)
    uniform = [at / 1000 for at in range(1000)]
    ids, log_probs = choose(logits, Sampling(), uniform)
    assert torch.bincount(ids).tolist() == pytest.approx([500, 300, 150, 50], abs=1)
    assert log_probs[0] == pytest.approx(logits[0, ids[0]])
    assert set(choose(logits, Sampling(top_p=0.75), uniform)[0].tolist()) == {0, 1}
    assert set(choose(logits, Sampling(top_k=3), uniform)[0].tolist()) == {0, 1, 2}
    assert set(choose(logits, Sampling(min_p=0.5), uniform)[0].tolist()) == {0, 1}
    halved, told = choose(logits, Sampling(temperature=0.5), uniform)
    wanted = torch.softmax(2 * logits[0], 0)
    assert torch.bincount(halved, minlength=4).tolist() == pytest.approx((1000 * wanted).tolist(), abs=1)
    assert told[0].exp() == pytest.approx(wanted[halved[0]])


def test_a_wide_distribution_is_looked_at_beyond_the_likeliest():
    logits = torch.zeros(4, 2000)
    ids, _ = choose(logits, Sampling(top_p=0.9), [0.1, 0.5, 0.9, 0.999])
    assert len(set(ids.tolist())) == 4


def test_log_probabilities_are_at_the_runs_temperature(tiny):
    model = load_dense(tiny, torch.device("cpu"))
    sequence = [1, 5, 9, 4]
    from tunesmith_torch.api import TokenSequence
    from tunesmith_torch.model.heads import Heads
    from tunesmith_torch.model.outputs import outputs

    given = pack([TokenSequence(sequence, [False, True, True, True])], torch.device("cpu"), wanted=Wanted(temperature=0.5))
    found = outputs(model, given, Heads.new((), model, 0))[LOG_PROBS]
    whole = torch.log_softmax(model(torch.tensor([sequence])).logits[0] / 0.5, 1)
    assert found.tolist() == pytest.approx([float(whole[at, token]) for at, token in enumerate(sequence[1:])], abs=1e-5)
