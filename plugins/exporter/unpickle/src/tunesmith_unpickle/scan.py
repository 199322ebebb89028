"""What a pickle names, by picklescan: refused unless tensors are made of it."""

from __future__ import annotations

import logging
from pathlib import Path

from tunesmith_unpickle.tensor_records import NAMES, NotTensors, read


def scan(path: Path) -> None:
    """
    Raises:
        NotTensors: the file names something else, or the scanner can't read it.
    """
    from picklescan.scanner import scan_file_path

    logging.getLogger("picklescan").setLevel(logging.CRITICAL)  # what it finds is told by the error
    try:
        found = scan_file_path(str(path))
    except Exception as error:  # of a library that reads what a stranger wrote
        raise NotTensors(f"picklescan can't read it: {error}.") from None
    foreign = sorted({f"{one.module}.{one.name}" for one in found.globals} - NAMES)
    if foreign:
        raise NotTensors(f"It names {', '.join(f'`{name}`' for name in foreign[:5])}, which no tensor is made of.")
    if found.scan_err or found.issues_count:
        raise NotTensors("picklescan could not read all of it.")
    next(read(path))  # what is no state dictionary is refused before PyTorch is started
