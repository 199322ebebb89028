"""How many parameters each method trains, per adapted matrix of `i` inputs and `o` outputs. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Options = Mapping[str, Any]
Count = Callable[[Options, int, int], float]

STAND_IN = 64  #: rank of the LoRA that a method without a formula is taken for


def low_rank(options: Options, i: int, o: int) -> float:
    return int(options["r"]) * (i + o)


def _lora(options: Options, i: int, o: int) -> float:
    return low_rank(options, i, o) + (o if options.get("use_dora") else 0) + (o if options.get("lora_bias") else 0)


def _lokr(options: Options, i: int, o: int) -> float:
    """Two Kronecker factors, each decomposed where that is smaller (Yeh et al., arXiv:2309.14859, section 4.2)."""
    r, factor = int(options["r"]), int(options["decompose_factor"])
    (in_small, in_large), (out_small, out_large) = factors(i, factor), factors(o, factor)
    decomposed = options["decompose_both"] and r < max(out_small, in_small) / 2
    left = r * (out_small + in_small) if decomposed else out_small * in_small
    return left + (r * (out_large + in_large) if r < max(out_large, in_large) / 2 else out_large * in_large)


def factors(size: int, factor: int) -> tuple[int, int]:
    """Two factors of `size`, the smaller first: `factor` and the rest where it divides, else the most equal ones up to it."""
    if factor > 0 and size % factor == 0:
        return min(factor, size // factor), max(factor, size // factor)
    limit = factor if factor > 0 else size
    small = max(a for a in range(1, int(size**0.5) + 1) if size % a == 0 and a <= limit)
    return small, size // small


def _oft(options: Options, i: int, o: int) -> float:
    block = int(options["oft_block_size"]) or i // int(options["r"])
    return (1 if options["block_share"] else i // block) * block * (block - 1) / 2


def _boft(options: Options, i: int, o: int) -> float:
    block = int(options["boft_block_size"]) or i // int(options["boft_block_num"])
    return int(options["boft_n_butterfly_factor"]) * i * block + o


def _vblora(options: Options, i: int, o: int) -> float:
    return int(options["r"]) * (i + o) / int(options["vector_length"]) * int(options["num_vectors"])


def _randlora(options: Options, i: int, o: int) -> float:
    """A scale for each direction and each of the shorter side's entries, in as many bases as make up full rank."""
    r, least = int(options["r"]), min(i, o)
    return -(-least // r) * (r + least)


def _psoft(options: Options, i: int, o: int) -> float:
    r = int(options["r"])
    return r * (r - 1) / 2 + r * (bool(options["psoft_mag_a"]) + bool(options["psoft_mag_b"]))


COUNTS: Mapping[str, Count] = {
    "lora": _lora,
    "loha": lambda options, i, o: 2 * low_rank(options, i, o),
    "lokr": _lokr,
    "vera": lambda options, i, o: int(options["r"]) + o,
    "pvera": lambda options, i, o: 2 * int(options["r"]) + o,
    "oft": _oft,
    "boft": _boft,
    "fourierft": lambda options, i, o: int(options["n_frequency"]),
    "waveft": lambda options, i, o: int(options["n_frequency"]),
    "hra": lambda options, i, o: int(options["r"]) * i,
    "vblora": _vblora,
    "miss": lambda options, i, o: int(options["r"]) * o,
    "shira": low_rank,
    "hira": low_rank,
    "deft": low_rank,
    "gralora": low_rank,
    "peanut": low_rank,
    "delora": lambda options, i, o: low_rank(options, i, o) + 1,
    "randlora": _randlora,
    "c3a": lambda options, i, o: i * o / int(options["block_size"]),
    "road": lambda options, i, o: {"road_1": 1, "road_2": 2, "road_4": 4}[options["variant"]] * o,
    "psoft": _psoft,
    "tinylora": lambda options, i, o: int(options["u"]),
    "beft": lambda options, i, o: o,
}

#: What all matrices of a model share, counted once.
SHARED: Mapping[str, Callable[[Options], float]] = {
    "vblora": lambda options: int(options["num_vectors"]) * int(options["vector_length"]),
    "unilora": lambda options: int(options["theta_d_length"]),
}
