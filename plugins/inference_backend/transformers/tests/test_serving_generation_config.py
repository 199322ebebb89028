"""What a model's generation_config asks for is done as the library's own `generate` does it, or named when the server starts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import GenerationConfig

from tunesmith_transformers.sampling.generation_config import ignored, recommended

FORBIDDEN = {"suppress_tokens": [53, 269, 44, 88]}


@pytest.mark.parametrize("asked", [{"repetition_penalty": 1.6}, FORBIDDEN, {"repetition_penalty": 1.3, **FORBIDDEN}])
def test_greedy_answers_are_those_of_generate_under_the_same_config(
    serve: Any, tiny: Path, tmp_path: Path, reference: Any, tokenizer: Any, shown: Any, asked: dict[str, Any]
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny, model)
    own = json.loads((model / "generation_config.json").read_text())
    (model / "generation_config.json").write_text(json.dumps(own | asked))
    ids = tokenizer("The quick", return_tensors="pt").input_ids
    out = reference.generate(ids, attention_mask=ids.new_ones(ids.shape), max_new_tokens=40, do_sample=False, **asked)
    plain = reference.generate(ids, attention_mask=ids.new_ones(ids.shape), max_new_tokens=40, do_sample=False)
    with serve(model) as server:
        answer = server.client().completions.create(model="tiny", prompt="The quick", max_tokens=40, temperature=0)
        assert any("generation_config recommends" in reason for _, reason in server.step.reports.decisions)
    assert answer.choices[0].text == shown(out[0, ids.shape[1] :])
    assert out.tolist() != plain.tolist()


def test_what_is_not_done_is_named_when_the_server_starts(serve: Any, tiny: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny, model)
    asked = {"no_repeat_ngram_size": 3, "bad_words_ids": [[5]], "max_new_tokens": 7}
    own = json.loads((model / "generation_config.json").read_text())
    (model / "generation_config.json").write_text(json.dumps(own | asked))
    with serve(model) as server:
        (said,) = [message for level, message in server.step.reports.logs if level == "warning"]
    assert all(f"`{name}`" in said for name in asked)


def test_a_request_overrules_the_models_recommendation() -> None:
    from tunesmith_transformers.api.request.sampling_request import sampling

    class Words:
        def __len__(self) -> int:
            return 100

    defaults = {"temperature": 0.6, "top_k": 20, "repetition_penalty": 1.1, "suppress_tokens": [3, 400]}
    left = sampling({"max_tokens": 1}, defaults, Words(), 1, 10, chat=True)  # type: ignore[arg-type]
    said = sampling({"max_tokens": 1, "temperature": 0, "repetition_penalty": 1}, defaults, Words(), 1, 10, chat=True)  # type: ignore[arg-type]
    assert (left.temperature, left.top_k, left.repetition_penalty) == (0.6, 20, 1.1)
    assert (said.temperature, said.top_k, said.repetition_penalty) == (0, 20, 1)
    assert list(left.logit_bias) == [3]


def test_the_temperature_counts_where_the_model_is_to_be_sampled_from() -> None:
    drawing = {"temperature": 0.7, "top_p": 0.8, "min_p": 0.1}
    assert recommended(GenerationConfig(**drawing, do_sample=True)) == drawing
    assert recommended(GenerationConfig(repetition_penalty=1.2)) == {"repetition_penalty": 1.2}


def test_neutral_values_and_other_matters_are_not_told_of() -> None:
    assert ignored(GenerationConfig(num_beams=1, typical_p=1.0, eos_token_id=[1, 2], pad_token_id=0, use_cache=True, do_sample=True)) == {}
    assert ignored(GenerationConfig(num_beams=4)) == {"num_beams": 4}
    assert ignored(GenerationConfig(temperature=0.7)) == {"temperature": 0.7}  # without do_sample it is not sampled
    assert ignored(GenerationConfig(repetition_penalty=1e-9)) == {"repetition_penalty": 1e-9}  # out of bounds


def test_min_p_leaves_the_tokens_that_are_likely_enough(client: Any) -> None:
    def said(**options: Any) -> str:
        answer = client.completions.create(model="tiny", prompt="The quick", max_tokens=24, **options)
        return str(answer.choices[0].text)

    greedy = said(temperature=0)
    assert said(temperature=1.7, extra_body={"min_p": 1.0}) == greedy
    assert said(temperature=1.7, seed=3, extra_body={"min_p": 0.0}) != greedy
