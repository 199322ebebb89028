"""What serving a model takes: memory and time of an engine, an expected load, and settings for it. From configurations alone."""

from tunesmith_models.serving.engine_memory import engine_memory
from tunesmith_models.serving.engine_start import engine_dtype, max_positions
from tunesmith_models.serving.engine_time import ALONE, CAPTURED, EngineTime
from tunesmith_models.serving.engine_variants import EngineSettings, engine_variants
from tunesmith_models.serving.expected_load import ExpectedLoad, held_against_load

__all__ = [
    "ALONE",
    "CAPTURED",
    "EngineSettings",
    "EngineTime",
    "ExpectedLoad",
    "engine_dtype",
    "engine_memory",
    "engine_variants",
    "held_against_load",
    "max_positions",
]
