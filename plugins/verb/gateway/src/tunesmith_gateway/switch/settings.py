"""How a version is switched: in which steps, within which bounds."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class SwitchSettings:
    shares: list[float] = setting([0.01, 0.1, 0.5, 1.0], "shares of the requests that the new version takes, step by step")
    hold: float = setting(10.0, "seconds that a step lasts at least", ge=0)
    min_requests: int = setting(20, "answers of the new version that a step waits for, and that a bound is judged by", ge=1)
    step_timeout: float = setting(600.0, "seconds after which a step with fewer answers is over all the same", gt=0)
    max_error_rate: float = setting(0.01, "share of its requests that may fail before it goes back", ge=0, le=1)
    max_p99: float = setting(0.0, "seconds within which 99 of 100 answers are to be whole; 0: no bound", ge=0)
    min_score: float = setting(0.0, "least share of the shadow set's rows that are answered as expected; 0: no bound", ge=0, le=1)
    drain_timeout: float = setting(600.0, "seconds that requests at the old version get to end", ge=0)
    at_once: bool = setting(False, "give it all requests at once when it has answered the smoke and the shadow set")
    keep_old: bool = setting(False, "leave the run that served the old version up")
