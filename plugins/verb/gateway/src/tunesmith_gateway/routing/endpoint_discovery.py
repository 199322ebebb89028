"""Who stands behind each name: servers by address, and running endpoints of this home, wherever they are at the moment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith_cli.api import RunningEndpoint, running_endpoints
from tunesmith_gateway.routing.model_routes import Route, Routes, Version
from tunesmith_gateway.routing.upstream import Upstream
from tunesmith_gateway.settings import GatewaySettings, ModelSettings, UpstreamSettings

SWITCHED = "switch-"  # how steps are called that `tunesmith serve switch` starts: they are nobody else's


class EndpointDirectory:
    """What runs in this home, looked at again by `refresh`; and the routes that follow from it."""

    def __init__(self, settings: GatewaySettings, home: Path) -> None:
        self.settings, self.home = settings, home
        self.running: Sequence[RunningEndpoint] = ()
        self.routes = Routes()
        self.refresh()
        for name, model in settings.models.items():
            self.routes.by_name[name] = self._switched(name) or Route(name, [self._version(name, model)])
        self._discover()

    def refresh(self) -> None:
        """Look again; may wait for a disk, so it is not for the event loop."""
        self.running = list(running_endpoints(self.home))

    def follow(self) -> None:
        """Have the routes follow what was found."""
        self._discover()

    def step(self, name: str) -> RunningEndpoint | None:
        """The newest endpoint of a step, given by its name or as RUN/STEP."""
        run, _, step = name.rpartition("/")
        found = [e for e in self.running if e.step == step and e.run.startswith(run) and (run or not e.step.startswith(SWITCHED))]
        return found[-1] if found else None

    def upstream(self, name: str, of: UpstreamSettings) -> Upstream:
        key = os.environ.get(of.key_env, "") if of.key_env else ""
        if of.url:
            return Upstream(of.url, lambda: (of.url, name), key, of.model)

        def locate() -> tuple[str, str] | None:
            found = self.step(of.step)
            return (str(found.facts["url"]), str(found.facts.get("model", ""))) if found else None

        return Upstream(of.step, locate, key, of.model)

    def _version(self, name: str, model: ModelSettings) -> Version:
        version = Version("1", [self.upstream(name, upstream) for upstream in model.upstreams or [model]])
        self.adopt(version)
        return version

    def adopt(self, version: Version) -> None:
        """Know the run behind a version of one server, so that it can be ended when another has taken its place."""
        if len(version.upstreams) == 1 and (found := self.step(version.upstreams[0].name)):
            version.run, version.pid = found.run, found.pid

    def _discover(self) -> None:
        """Routes for endpoints that no other route names, under their models' names."""
        if not self.settings.discover:
            return
        found: dict[str, list[RunningEndpoint]] = {}
        for endpoint in self.running:
            if not endpoint.step.startswith(SWITCHED):
                found.setdefault(str(endpoint.facts.get("model", endpoint.step)), []).append(endpoint)
        for name, endpoints in found.items():
            route = self.routes.by_name.get(name)
            if route is None:
                route = self._switched(name) or Route(name, [Version("1", [])])
                route.discovered = True
                self.routes.by_name[name] = route
            if route.discovered and len(route.versions) == 1 and route.versions[0].name == "1":
                known = {upstream.name: upstream for upstream in route.versions[0].upstreams}
                places = [f"{endpoint.run}/{endpoint.step}" for endpoint in endpoints]
                route.versions[0].upstreams = [known.get(place) or self.upstream(name, UpstreamSettings(step=place)) for place in places]
                self.adopt(route.versions[0])
        for name, route in list(self.routes.by_name.items()):
            if route.discovered and name not in found and len(route.versions) == 1 and not route.versions[0].free(()):
                del self.routes.by_name[name]

    # --- what a switch has led to, for the next gateway ------------------------------------------------------------------------------

    @property
    def _note(self) -> Path:
        return self.home / "gateway" / "switched.json"

    def remember(self, name: str, where: UpstreamSettings) -> None:
        """That a model was switched to another server, so that a gateway that is started again goes on with it."""
        write_note(self._note, {**(read_note(self._note) or {}), name: {"url": where.url, "step": where.step, "model": where.model}})

    def _switched(self, name: str) -> Route | None:
        """The route that an earlier gateway has switched a model to, if that still serves."""
        told = (read_note(self._note) or {}).get(name)
        if not told or not (told["url"] or self.step(told["step"])):
            return None
        version = Version(told["step"] or told["url"], [self.upstream(name, UpstreamSettings(**told))])
        self.adopt(version)
        return Route(name, [version])
