"""Episodes of several turns: what the model wrote is learned from, what was replied is read, and a run that is broken off goes on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from reinforcement import ROWS, Dies, Reinforcement, adapter, dying, ledger

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_torch.api import Asks, Head, Reply, Sampling, Score
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder
from tunesmith_torch.model.loader import load_model
from tunesmith_torch.training.experience import collection as collections
from tunesmith_torch.training.experience.groups import sequence_of
from tunesmith_torch.training.experience.reply_tokens import opening_tokens, reply_tokens
from tunesmith_torch.training.experience.rollout_ledger import ROLLOUTS, from_json

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
STOP = tuple("aeiouAEIOU0123456789")  # an untrained model hardly ever writes an end token


class Talks(Reinforcement):
    """Is answered with how long the answer was; longer episodes are worth more, and an answer with a z fails."""

    def __init__(self, **sampling) -> None:
        wanted = {"num_generations": 3, "max_completion_length": 90, "max_turns": 3, "stop": STOP}
        self.asks = Asks(sampling=Sampling(**(wanted | sampling)))
        self.playing, self.begun, self.ended, self.seeds, self.failed, self.tools, self.openings = {}, 0, [], [], {}, [], "Hi"
        self.fails, self.done_after = lambda text: False, 9

    def reset(self, tasks):
        found = {}
        for facts, seed in tasks:
            self.seeds.append((facts["row"]["at"], seed))
            self.playing[self.begun] = []
            opening = self.openings if isinstance(self.openings, str) else self.openings(self.begun)
            found[self.begun] = Reply([{"role": "user", "content": f"{opening} {facts['row']['at']} {seed % 100}"}], self.tools)
            self.begun += 1
        return found

    def reply(self, answers):
        return {number: self._one(number, text) for number, text in answers.items()}

    def _one(self, number, text):
        self.playing[number].append(text)
        if self.fails(text):
            return Reply(failure="it is afraid of that")
        if len(self.playing[number]) >= self.done_after:
            return Reply(reward=1.0, done=True)
        return Reply([{"role": "user", "content": f"You said {len(text)} letters"}], reward=0.25)

    def end(self, episodes):
        self.ended += episodes
        return {number: Reply(reward=float(len(self.playing[number])), done=True) for number in episodes}

    def fail(self, reasons):
        self.failed |= reasons

    def score(self, rollouts):
        sums = [sum(turn.reward or 0 for turn in one.turns) + 0.01 * len(one.text) for one in rollouts]
        return [Score(None, failed=True) if one.failure else Score(value) for one, value in zip(rollouts, sums, strict=True)]


def test_the_models_own_tokens_are_learned_from_and_replies_are_only_read(bench):
    output, _ = bench.train({"batch_size": 3}, rows=ROWS, objective=Talks(temperature=0.7))
    lines, chat, model = ledger(output), chat_encoder(bench.base), load_model(bench.base)
    assert max(len(line["turns"]) for line in lines) == 3
    for line in lines[:9]:  # by the model before it has learned
        rollout = from_json(line, {})
        sequence = sequence_of(rollout)
        own = [token for turn in line["turns"] for token in line["completion"][turn["start"] : turn["stop"]]]
        assert [token for token, label in zip(sequence.tokens, sequence.labels, strict=True) if label] == own
        assert len(own) == len(line["log_probs"])
        given = torch.log_softmax(model(torch.tensor([sequence.tokens])).logits[0].float() / 0.7, 1)
        wanted = [
            float(given[at - 1, token]) for at, (token, label) in enumerate(zip(sequence.tokens, sequence.labels, strict=True)) if label
        ]
        assert line["log_probs"] == pytest.approx(wanted, abs=1e-4)
        for before, after in zip(line["turns"], line["turns"][1:], strict=False):
            between = chat.tokenizer.backend_tokenizer.decode(line["completion"][before["stop"] : after["start"]])
            assert f"You said {len(before['text'])} letters" in between
        assert line["text"] == line["turns"][-1]["text"]
    assert bench.series("turns")[0] == pytest.approx(sum(len(line["turns"]) for line in lines[:9]) / 9)
    assert bench.series("completions/mean_length")[0] == pytest.approx(sum(len(line["log_probs"]) for line in lines[:9]) / 9)


def test_all_episodes_of_a_prompt_have_one_seed_and_another_one_in_the_next_collection(bench):
    objective = Talks()
    bench.train({"batch_size": 6, "num_train_epochs": 2, "max_tokens_per_microbatch": 4096}, rows=ROWS, objective=objective)
    first, second = (dict(objective.seeds[start : start + 18]) for start in (0, 18 + 4 * 4))  # junk is tried between them
    assert len(set(objective.seeds[:18])) == 6
    assert all(first[at] != second[at] for at in first)


def test_episodes_end_when_they_are_done_and_where_there_are_no_more_turns_or_tokens(bench):
    objective = Talks()
    output, _ = bench.train({"batch_size": 6, "max_steps": 1}, rows=ROWS, objective=objective, name="turns")
    lines = ledger(output)
    assert not any(line["finished"] for line in lines)
    assert all(line["turns"][-1]["reward"] == 0.25 + len(line["turns"]) for line in lines)
    done = Talks()
    done.done_after = 2
    output, _ = bench.train({"batch_size": 6, "max_steps": 1}, rows=ROWS, objective=done, name="done")
    ended = [line for line in ledger(output) if line["finished"]]
    assert ended
    assert all((len(line["turns"]), line["turns"][-1]["messages"], line["turns"][-1]["reward"]) == (2, [], 1.0) for line in ended)
    short = Talks(max_completion_length=30)
    output, _ = bench.train({"batch_size": 6, "max_steps": 1}, rows=ROWS, objective=short, name="tokens")
    lines = ledger(output)
    assert all(len(line["completion"]) <= 30 for line in lines)
    assert {len(line["turns"]) for line in lines} == {1}  # a reply has more


def test_an_episode_that_fails_is_no_reward_of_0_and_is_not_learned_from(bench):
    objective = Talks()
    objective.fails = lambda text: len(text) > 4
    output, _ = bench.train({"batch_size": 6, "max_steps": 1}, rows=ROWS, objective=objective)
    lines = ledger(output)
    failed = [line for line in lines if line["failure"]]
    assert 0 < len(failed) < len(lines)
    assert all((line["reward"], line["failed"], line["failure"]) == (None, True, "it is afraid of that") for line in failed)
    assert bench.series("unscored") == [pytest.approx(len(failed) / len(lines))]


def test_openings_that_differ_or_leave_no_room_have_failed(bench):
    objective = Talks()
    objective.openings = lambda number: "Hi" if number % 3 else "Ho"
    output, _ = bench.train({"batch_size": 6, "max_steps": 1}, rows=ROWS, objective=objective, name="differ")
    assert sum("opens otherwise" in line["failure"] for line in ledger(output)) == 12
    assert set(objective.failed.values()) == {"it opens otherwise than another episode of the same row and seed"}
    objective = Talks(max_completion_length=20)
    objective.openings = "long " * 40
    output, _ = bench.train({"batch_size": 6, "max_steps": 1, "max_length": 128}, rows=ROWS, objective=objective, name="long")
    assert len(objective.failed) == 18
    assert all("of 128 none is left" in line["failure"] for line in ledger(output))


@pytest.mark.parametrize("ahead", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "fails_at", ["reply", pytest.param("sample", marks=pytest.mark.slow), pytest.param("loss", marks=pytest.mark.slow)]
)
def test_a_run_that_is_interrupted_anywhere_comes_to_the_same_adapter_and_ledger(bench, monkeypatch, fails_at, ahead):
    settings = {"batch_size": 2, "save_steps": 1}
    sampling = {"num_iterations": 2, "num_generations": 2, "max_turns": 2, "one_step_off_policy": ahead}
    whole, _ = bench.train(settings, rows=ROWS, objective=Talks(**sampling), name="whole")
    objective = Talks(**sampling)
    if fails_at == "sample":
        monkeypatch.setattr(collections.Sampler, "__call__", dying(collections.Sampler.__call__, 6))
    else:
        setattr(objective, fails_at, dying(getattr(objective, fails_at), 6))
    with pytest.raises(Dies):
        bench.train(settings, rows=ROWS, objective=objective, name="again")
    again, _ = bench.train(settings, rows=ROWS, objective=Talks(**sampling), name="again")
    assert any("goes on from step" in params.get("what", "") for _, params in bench.notices)
    assert adapter(again) == adapter(whole)
    assert (again / ROLLOUTS).read_bytes() == (whole / ROLLOUTS).read_bytes()


def test_heads_have_a_place_before_each_token_that_the_model_wrote(bench):
    class Measured(Talks):
        def __init__(self):
            super().__init__(measured=True)
            self.asks = Asks(sampling=self.asks.sampling, heads=(Head("value"),))
            self.seen = []

        def learn(self, rollouts, state):
            self.seen += [one for group in rollouts for one in group]
            return super().learn(rollouts, state)

        def loss(self, batch):
            assert batch.scores["value"].shape == (sum(batch.lengths), 1)
            return super().loss(batch)

    objective = Measured()
    bench.train({"batch_size": 3, "max_steps": 1}, rows=ROWS, objective=objective)
    for one in objective.seen[2:]:
        assert len(one.heads["value"]) == len(one.old) == len(one.log_probs) < len(one.completion) or len(one.turns) == 1


def test_tools_that_the_template_does_not_write_are_warned_of(bench):
    objective = Talks()
    objective.tools = [TOOL]
    bench.train({"batch_size": 3, "max_steps": 1}, rows=ROWS, objective=objective)
    assert sum("does not write tools" in str(params) for _, params in bench.notices) == 1


def test_an_objective_that_asks_for_episodes_and_has_nobody_reply_is_refused(bench):
    class Alone(Talks):
        reply = None

    with pytest.raises(TunesmithError, match=r"TS-TRAIN-126.*no `reply`"):
        bench.train(rows=ROWS, objective=Alone())


def _with_template(chat, source):
    return SimpleNamespace(template=type(chat.template)({"default": source}, {}), tokenizer=chat.tokenizer, turn_end=chat.turn_end)


CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if tools %}{{ tools[0]['function']['name'] }}{% endif %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def test_reply_and_answer_together_are_what_the_template_writes_of_the_conversation(tiny):
    chat = _with_template(chat_encoder(tiny), CHAT)
    opening, reply = [{"role": "user", "content": "Hi"}], [{"role": "tool", "content": "4"}, {"role": "user", "content": "So?"}]
    asked, answer = opening_tokens(chat, opening, []), chat.tokenizer.backend_tokenizer.encode("two and two", add_special_tokens=False).ids
    whole = opening_tokens(chat, [*opening, {"role": "assistant", "content": "two and two"}, *reply], [])
    end = chat.tokenizer.backend_tokenizer.token_to_id(chat.turn_end)
    assert [*asked, *answer, end, *reply_tokens(chat, opening, reply, [], ended=True)] == whole
    assert [*asked, *answer, *reply_tokens(chat, opening, reply, [], ended=False)] == whole
    assert reply_tokens(chat, opening, reply, [TOOL], ended=True) != reply_tokens(chat, opening, reply, [], ended=True)


def test_a_template_that_leaves_the_reply_out_is_told_of(tiny):
    chat = _with_template(chat_encoder(tiny), "{% for m in messages if m['role'] != 'tool' %}{{ m['content'] }}</s>{% endfor %}")
    with pytest.raises(UserError) as caught:
        reply_tokens(chat, [{"role": "user", "content": "Hi"}], [{"role": "tool", "content": "4"}], [], ended=True)
    assert caught.value.code == "TS-REWARD-015"
