"""Parts on their own: growing text, stop strings, the scheduler's bounds, the estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_models import ModelShape
from tunesmith_transformers.engine.engine_start import bounds
from tunesmith_transformers.engine.scheduler import Limits, Scheduler
from tunesmith_transformers.estimate import estimate
from tunesmith_transformers.sampling.sampling_params import Sampling
from tunesmith_transformers.settings import TransformersSettings
from tunesmith_transformers.text.incremental_detokenizer import IncrementalText
from tunesmith_transformers.text.stop_strings import StopFilter
from tunesmith_transformers.text.vocabulary import Vocabulary, _printable_bytes

TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\ufffd🦊é "), max_size=40)


@settings(deadline=None)
@given(text=TEXT, prompt=TEXT)
def test_text_grows_to_what_its_tokens_decode_to(tokenizer: Any, text: str, prompt: str) -> None:
    vocabulary = Vocabulary(tokenizer)
    grown = IncrementalText(vocabulary, vocabulary.encode(prompt, special=False))
    pieces = [grown.push(token) for token in vocabulary.encode(text, special=False)]
    assert "".join(pieces) == text


@settings(deadline=None)
@given(tokens=st.lists(st.integers(0, 319), max_size=60))
@example(tokens=[129, 0, 97])  # a special token within a character
@example(tokens=[159, 127])  # bytes that begin like a character and are none: held back, for they are as little to be shown
def test_any_tokens_whatever_read_as_the_decoder_reads_them(tokenizer: Any, shown: Any, tokens: list[int]) -> None:
    vocabulary = Vocabulary(tokenizer)
    grown = IncrementalText(vocabulary)
    said = "".join(grown.push(token) for token in tokens)
    assert shown(tokens).startswith(said)
    assert shown(tokens).rstrip("\ufffd") == said.rstrip("\ufffd")
    assert vocabulary.decode(tokens).rstrip("\ufffd") == said.rstrip("\ufffd")


@settings(deadline=None)
@given(character=st.characters(codec="utf-8", min_codepoint=0x80), after=TEXT, cut=st.integers(1, 3))
def test_a_character_that_the_prompt_leaves_half_is_shown_whole(tokenizer: Any, character: str, after: str, cut: int) -> None:
    """The prompt's tokens are bytes here, so it can end anywhere within its last character."""
    vocabulary = Vocabulary(tokenizer)
    ids = [tokenizer.convert_tokens_to_ids(char) for byte in character.encode() for char, own in _printable_bytes().items() if own == byte]
    cut = min(cut, len(ids) - 1)
    grown = IncrementalText(vocabulary, vocabulary.encode("before ", special=False) + ids[:cut])
    pieces = [grown.push(token) for token in ids[cut:] + vocabulary.encode(after, special=False)]
    assert "".join(pieces) == character + after


def test_a_tokenizer_with_byte_fallback_shows_characters_whole() -> None:
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    words = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁the", "▁fox"]
    core = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, [], unk_token="<unk>", byte_fallback=True))
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    vocabulary = Vocabulary(PreTrainedTokenizerFast(tokenizer_object=core))
    fox = [byte + 1 for byte in "🦊".encode()]
    grown = IncrementalText(vocabulary, [257])
    assert [grown.push(token) for token in [258, *fox, 257]] == [" fox", "", "", "", "🦊", " the"]
    assert vocabulary.token_bytes(257) == b" the"
    assert vocabulary.token_bytes(fox[0]) == b"\xf0"
    assert vocabulary.token_text(fox[0]) == "bytes:\\xf0"


@given(pieces=st.lists(st.text("abc", max_size=4), max_size=12), stops=st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_text_ends_before_the_first_stop_string_however_it_is_cut_into_pieces(pieces: list[str], stops: list[str]) -> None:
    whole, shown, stopped = "".join(pieces), "", False
    watch = StopFilter(stops)
    for piece in pieces:
        text, stopped = watch.push(piece)
        shown += text
        if stopped:
            break
    if not stopped:
        shown += watch.flush()
    # a stop string ends the text as soon as it is complete, so the one that is complete first counts
    ends = [end for end in range(len(whole) + 1) if any(whole[:end].endswith(stop) for stop in stops)]
    seen = "".join(pieces[: next((i for i in range(1, len(pieces) + 1) if ends and len("".join(pieces[:i])) >= ends[0]), len(pieces))])
    want = min((at for at in (seen.find(stop) for stop in stops) if at >= 0), default=len(whole))
    assert shown == whole[:want]
    assert stopped == any(stop in whole for stop in stops)


class Rows:
    """A cache that only knows its size and what was moved where."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self.content: dict[int, list[int]] = {}  # the tokens of each row

    def resize(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.content = {row: tokens[:columns] for row, tokens in self.content.items() if row < rows}

    def write(self, row: int, start: int, tokens: Sequence[int]) -> None:
        assert row < self.rows
        assert start + len(tokens) <= self.columns
        self.content[row] = self.content.get(row, [])[:start] + list(tokens)

    def move(self, source: int, target: int, length: int) -> None:
        assert max(source, target) < self.rows
        assert length <= len(self.content[source])
        self.content[target] = self.content[source][:length]


class Waiting:
    """As much of a sequence as the scheduler looks at."""

    def __init__(self, prompt: list[int]) -> None:
        self.prompt = prompt
        self.tokens = list(self.prompt)
        self.cached = self.scored = 0
        self.reused: int | None = None
        self.seen = None
        self.sampling = Sampling()

    @property
    def unread(self) -> int:
        return len(self.tokens) - self.cached


SYSTEM = list(range(100, 140))  # what many prompts begin with

PROMPTS = st.tuples(st.sampled_from([0, 20, 40]), st.lists(st.integers(0, 2), min_size=1, max_size=20)).map(
    lambda both: [*SYSTEM[: both[0]], *both[1]]
)


@settings(deadline=None, max_examples=300)
@given(
    jobs=st.lists(st.tuples(PROMPTS, st.integers(1, 30), st.integers(0, 20)), min_size=1, max_size=12),
    batch=st.integers(1, 5), prompt_tokens=st.integers(1, 40), extra=st.integers(0, 300), kept_rows=st.integers(0, 4),
    cancels=st.lists(st.integers(0, 11), max_size=4),
)  # fmt: skip
def test_every_sequence_ends_and_no_bound_is_broken(
    jobs: list[tuple[list[int], int, int]], batch: int, prompt_tokens: int, extra: int, kept_rows: int, cancels: list[int]
) -> None:
    """Sequences arrive, grow and leave; the cache's rows always hold the tokens that the scheduler thinks they hold."""
    limits = Limits(batch=batch, length=90, prompt_tokens=prompt_tokens, cache_tokens=90 + extra, kept_rows=kept_rows)
    cache = Rows()
    found: list[int] = []
    scheduler = Scheduler(limits, cache, looked_up=lambda tokens, count: found.append(count))  # type: ignore[arg-type]
    arriving = {Waiting(prompt): (answer, at) for prompt, answer, at in jobs}
    all_of_them = list(arriving)
    left = dict(arriving)
    for step in range(5000):
        scheduler.add(s for s in all_of_them if arriving[s][1] == step)
        if step == 15:
            for index in set(cancels):
                if index < len(all_of_them) and arriving[all_of_them[index]][1] <= step:
                    scheduler.remove(all_of_them[index])
                    left.pop(all_of_them[index], None)
        plan = scheduler.plan()
        if plan is None:
            if step > 20:
                break
            continue
        assert plan.rows * plan.columns <= limits.cache_tokens
        assert len(scheduler.rows) <= min(batch, plan.rows)
        assert sum(len(chunk.tokens) for chunk in plan.chunks[plan.decoding :]) <= prompt_tokens
        assert len(scheduler.prefixes) <= kept_rows
        cache.resize(plan.rows, plan.columns)
        for row, (sequence, chunk) in enumerate(zip(plan.sequences, plan.chunks, strict=True)):
            assert scheduler.rows[chunk.row] is sequence
            assert row >= plan.decoding or (chunk.row == row and len(chunk.tokens) == 1)
            assert cache.content.get(chunk.row, [])[: chunk.start] == sequence.tokens[: chunk.start]
            assert chunk.start == sequence.cached
            assert list(chunk.tokens) == sequence.tokens[chunk.start : chunk.start + len(chunk.tokens)]
            assert len(sequence.tokens) <= plan.columns
            cache.write(chunk.row, chunk.start, chunk.tokens)
            sequence.cached += len(chunk.tokens)
        for held in scheduler.prefixes.held():
            assert held.row >= len(scheduler.rows)
            assert cache.content[held.row][: held.count] == held.tokens
        for sequence in plan.sequences:
            if sequence.unread == 0:
                sequence.tokens.append(len(sequence.tokens) % 3)
        for sequence in list(plan.sequences):
            if sequence in left and len(sequence.tokens) - len(sequence.prompt) >= left[sequence][0]:
                scheduler.remove(sequence)
                del left[sequence]
    assert not left
    assert kept_rows or not any(found)


def test_a_prompt_begins_with_the_longest_beginning_that_was_read() -> None:
    """Also one that is just being read: of three that arrive together with a common beginning, one reads it."""
    cache, found = Rows(), []
    limits = Limits(batch=3, length=200, prompt_tokens=200, cache_tokens=1200, kept_rows=3)
    scheduler = Scheduler(limits, cache, looked_up=lambda tokens, count: found.append(count))  # type: ignore[arg-type]
    sequences = [Waiting([*range(100), 1000 + index, *range(40)]) for index in range(3)]
    scheduler.add(sequences)

    def step() -> list[int]:
        plan = scheduler.plan()
        assert plan is not None
        cache.resize(plan.rows, plan.columns)
        for sequence, chunk in zip(plan.sequences, plan.chunks, strict=True):
            cache.write(chunk.row, chunk.start, chunk.tokens)
            sequence.cached += len(chunk.tokens)
            if not sequence.unread:
                sequence.tokens.append(7)
        return [len(chunk.tokens) for chunk in plan.chunks]

    assert step() == [141]
    assert step() == [1, 41, 41]
    for sequence in sequences:
        scheduler.remove(sequence)
    follow_up, other = Waiting([*sequences[1].tokens, 5, 6]), Waiting([*range(30), 9])
    scheduler.add([follow_up, other])
    assert step() == [3, 1]
    assert found == [0, 100, 100, 141, 30]
    assert follow_up.reused == 141
    assert other.reused == 30


SHAPE = ModelShape.from_config(
    {"hidden_size": 576, "num_attention_heads": 9, "num_key_value_heads": 3, "num_hidden_layers": 30, "intermediate_size": 1536,
     "vocab_size": 49152, "tie_word_embeddings": True, "max_position_embeddings": 8192}
)  # fmt: skip


def asked(**changes: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(TransformersSettings()) | changes


def test_the_estimate_is_weights_and_a_bounded_cache() -> None:
    found = estimate(EstimateRequest(SHAPE.config, settings=asked(dtype="bfloat16")))
    assert found.terms["weights"] == SHAPE.parameters * 2
    assert found.terms["kv cache"] == SHAPE.kv_bytes(32 * 4096)
    small = estimate(EstimateRequest(SHAPE.config, settings=asked(kv_cache_gib=0.5)))
    assert small.terms["kv cache"] == 2**29
    quantized = estimate(EstimateRequest(SHAPE.config, input_bytes=10**8, settings=asked()))
    assert quantized.terms["weights"] == 10**8
    assert estimate(EstimateRequest({}, input_bytes=5, settings=asked())).notes


def test_bounds_come_from_settings_model_and_memory_together() -> None:
    token = 23040
    assert bounds(TransformersSettings(max_num_seqs=4), 8192, token).cache_tokens == 4 * 4096
    assert bounds(TransformersSettings(max_model_len=0), 8192, token).length == 8192
    assert bounds(TransformersSettings(max_model_len=100000), 8192, token).length == 8192
    assert bounds(TransformersSettings(kv_cache_gib=0.2), 8192, token).cache_tokens == int(0.2 * 2**30) // token
    with pytest.raises(UserError, match="TS-SERVE-005") as raised:
        bounds(TransformersSettings(kv_cache_gib=0.01), 8192, token)
    assert "max_model_len" in raised.value.fix
    with pytest.raises(UserError, match="TS-SERVE-005"):
        bounds(TransformersSettings(max_model_len=0), 0, token)
