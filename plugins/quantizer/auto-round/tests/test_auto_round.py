"""What needs no AutoRound. The rest is in test_auto_round_engine.py, what it has in common with others in tests/quantizers."""

from tunesmith.contracts import EstimateRequest
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_auto_round.estimate import estimate
from tunesmith_auto_round.settings import AutoRoundSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2


def estimated(**settings):
    return estimate(EstimateRequest(SMOLLM2, 269_060_552, fill(schema_of(AutoRoundSettings), settings), dtypes=("float32", "bfloat16")))


def test_smaller_batches_take_less_memory_and_fewer_bits_less_room():
    assert estimated().memory > estimated(batch_size=1).memory
    assert estimated(bits=8).disk > estimated().disk > estimated(bits=2).disk
