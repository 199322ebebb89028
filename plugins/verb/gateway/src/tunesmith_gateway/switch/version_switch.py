"""The switch itself: smoke set, shadow set, shares step by step within bounds, then the old version's end; or the way back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tunesmith_gateway.app import Gateway
from tunesmith_gateway.routing.model_routes import Route, Version, Window
from tunesmith_gateway.settings import UpstreamSettings
from tunesmith_gateway.switch.settings import SwitchSettings
from tunesmith_gateway.switch.trial_questions import EXPECTED, Refused, ask

POLL = 0.05  # seconds between looks at a version's figures
DOWN = 5.0  # seconds after which a new version that can't be reached has failed
START = 60.0  # seconds until a version that was said to be up answers


class Breach(Exception):
    """A bound that the new version does not keep."""


@dataclass(eq=False)
class Switch:
    """One switch of one model.

    Args:
        where: the new version's server, as the next gateway is to find it.
    """

    gateway: Gateway
    client: httpx.AsyncClient
    route: Route
    new: Version
    where: UpstreamSettings
    settings: SwitchSettings
    smoke: Sequence[Mapping[str, Any]]
    shadow: Sequence[Mapping[str, Any]]
    events: list[dict[str, Any]] = field(default_factory=list)
    over: bool = False
    called_back: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _down: float = 0.0  # since when the new version can't be reached

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """What happens, from the beginning to the end."""
        number = 0
        while True:
            self._news.clear()
            while number < len(self.events):
                yield self.events[number]
                number += 1
            if self.over:
                return
            await self._news.wait()

    async def run(self) -> None:
        """To the new version, or back to the old one."""
        old = list(self.route.versions)
        for version in old:  # its run may have come up after the gateway
            self.gateway.directory.adopt(version)
        self.new.share = 0.0
        self.route.versions.append(self.new)
        try:
            await self._asked_first()
            for share in () if self.settings.at_once else self.settings.shares:
                await self._step(share)
        except Breach as breach:
            await self._back(old, str(breach))
        except Exception as error:  # a fault of ours must not leave two versions
            await self._back(old, f"the gateway failed: {type(error).__name__}: {error}")
        else:
            await self._end_old(old)
        finally:
            self.over = True
            self._news.set()

    def call_back(self) -> None:
        """Go back at the next look, because somebody wants it."""
        self.called_back = True

    # --- before clients ----------------------------------------------------------------------------------------------------------

    async def _asked_first(self) -> None:
        upstream, until = self.new.upstreams[0], time.monotonic() + START
        while True:
            await upstream.look(self.client)
            if upstream.up:
                break
            if time.monotonic() > until or self.called_back:
                raise Breach(f"it does not answer: {upstream.last_error}")
            await asyncio.sleep(POLL)
        timeout = self.gateway.settings.first_byte_timeout
        for number, row in enumerate(self.smoke, 1):
            try:
                await ask(self.client, upstream, self.route.name, row, timeout)
            except Refused as error:
                raise Breach(f"question {number} of the smoke set: {error}") from None
            self._check(Window())
        self._tell("switch_smoke", answered=len(self.smoke))
        if self.shadow:
            await self._scored(timeout)

    async def _scored(self, timeout: float) -> None:
        """The share of the shadow set that each version answers as expected."""
        scores = {}
        for version in (self.route.versions[0], self.new):
            right = 0
            for row in self.shadow:
                self._check(Window())
                with contextlib.suppress(Refused):
                    right += (await ask(self.client, version.upstreams[0], self.route.name, row, timeout)).strip() == row[EXPECTED].strip()
            scores[version] = right / len(self.shadow)
        self._tell("switch_shadow", rows=len(self.shadow), old=scores[self.route.versions[0]], new=scores[self.new])
        if scores[self.new] < self.settings.min_score:
            raise Breach(f"it answers {scores[self.new]:.3f} of the shadow set as expected, less than min_score {self.settings.min_score}")

    # --- step by step ------------------------------------------------------------------------------------------------------------

    async def _step(self, share: float) -> None:
        window = self.new.window = Window()
        self.route.shares(self.new, share)
        self._tell("switch_share", share=share)
        start = time.monotonic()
        while True:
            await asyncio.sleep(POLL)
            self._check(window)
            held = time.monotonic() - start
            if held >= self.settings.hold and (window.answered >= self.settings.min_requests or held >= self.settings.step_timeout):
                break
        self._tell("switch_step", share=share, answered=window.answered, error_rate=window.error_rate, p99=window.p99, seconds=held)

    def _check(self, window: Window) -> None:
        """
        Raises:
            Breach: what is not as it should be.
        """
        settings = self.settings
        if self.called_back:
            raise Breach("it was called back")
        if self.gateway.draining:
            raise Breach("the gateway is being stopped")
        if window.failed > settings.max_error_rate * max(window.answered, settings.min_requests):
            raise Breach(f"{window.failed} of {window.answered} requests failed, more than max_error_rate {settings.max_error_rate}")
        if settings.max_p99 and window.answered >= settings.min_requests and window.p99 > settings.max_p99:
            raise Breach(f"99 of 100 answers took up to {window.p99:.3f} s, more than max_p99 {settings.max_p99}")
        now = time.monotonic()
        self._down = 0.0 if any(upstream.up for upstream in self.new.upstreams) else self._down or now
        if self._down and now - self._down > DOWN:
            raise Breach(f"its server can't be reached: {self.new.upstreams[0].last_error}")

    # --- the end -----------------------------------------------------------------------------------------------------------------

    async def _end_old(self, old: Sequence[Version]) -> None:
        self.route.shares(self.new, 1.0)
        await asyncio.to_thread(self.gateway.directory.remember, self.route.name, self.where)
        self._tell("switched", version=self.new.name)
        for version in old:
            await self._drain(version, self.settings.keep_old)
        self.route.versions = [self.new]
        self.gateway.metrics.switches.labels(self.route.name, "switched").inc()
        self._tell("switch_done", version=self.new.name)

    async def _back(self, old: Sequence[Version], why: str) -> None:
        self.new.share = 0.0
        for version in old:
            version.share = 1.0 / len(old)
        self._tell("switch_back", reason=why)
        await self._drain(self.new, False)
        self.route.versions = list(old)
        self.gateway.metrics.switches.labels(self.route.name, "gone back").inc()
        self._tell("gone_back", reason=why)

    async def _drain(self, version: Version, keep: bool) -> None:
        """Let a version's requests end, then its run."""
        until = time.monotonic() + self.settings.drain_timeout
        while version.running and time.monotonic() < until:
            await asyncio.sleep(POLL)
        self._tell("switch_drained", version=version.name, running=version.running)
        directory = self.gateway.directory
        await asyncio.to_thread(directory.refresh)
        if keep or not any((e.pid, e.run) == (version.pid, version.run) for e in directory.running):
            return
        if others := directory.routes.also_at(version, self.route):
            self._tell("switch_kept", version=version.name, run=version.run, models=", ".join(others))
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(version.pid, signal.SIGTERM)
                self._tell("switch_stopped", version=version.name, run=version.run)

    def _tell(self, event: str, **facts: Any) -> None:
        self.events.append({"event": event, "model": self.route.name, **facts})
        self._news.set()
