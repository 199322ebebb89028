"""What needs no GPTQModel. The rest is in test_gptq_engine.py, what it has in common with others in tests/quantizers."""

from tunesmith.contracts import EstimateRequest
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_gptq.estimate import estimate
from tunesmith_gptq.settings import GptqSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2


def estimated(**settings):
    return estimate(EstimateRequest(SMOLLM2, 269_060_552, fill(schema_of(GptqSettings), settings), dtypes=("float32", "bfloat16")))


def test_fewer_bits_and_one_scale_a_row_take_less_room():
    eight, four, two = (estimated(bits=bits).disk for bits in (8, 4, 2))
    assert eight > four > two
    assert estimated(group_size=-1).disk < four
