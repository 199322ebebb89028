"""One version for all first-party distributions, stated once; each asks for the others by it (docs/versions.md)."""

from __future__ import annotations

from dataclasses import replace

import release
from distributions import ROOT, distributions

import tunesmith


def test_every_distribution_has_the_version_of_tunesmith_and_asks_for_the_others_by_it() -> None:
    assert list(release.faults(distributions())) == [], "run tools/release.py --set VERSION"
    assert tunesmith.__version__ == distributions()["tunesmith"].version


def test_another_version_or_bound_is_told() -> None:
    found = distributions()
    torch = found["tunesmith-torch"]
    assert list(release.faults(found | {torch.name: replace(torch, version="9.9.9")})) == [
        f"tunesmith-torch has the version 9.9.9, tunesmith {torch.version}"
    ]
    loose = replace(torch, requires=(*torch.requires, "tunesmith-cli>=0.1"), extras=torch.extras | {"more": ("tunesmith_file", "torch")})
    assert list(release.faults(found | {torch.name: loose})) == [
        f"tunesmith-torch asks for tunesmith-cli>=0.1: write ~={torch.version}",
        f"tunesmith-torch asks for tunesmith_file: write ~={torch.version}",
    ]


def test_stating_another_version_changes_the_version_and_first_party_requirements_alone() -> None:
    for one in distributions().values():
        text = (one.folder / "pyproject.toml").read_text()
        assert release.stated(text, one.version) == text
        new = release.stated(text, "7.8.9")
        assert release.stated(new, one.version) == text
        lines = [after for before, after in zip(text.splitlines(), new.splitlines(), strict=True) if before != after]
        assert 'version = "7.8.9"' in lines
        assert all("tunesmith-" in line for line in lines if line != 'version = "7.8.9"')
    assert '__version__ = "7.8.9"' in release.stated(release.KERNEL.read_text(), "7.8.9")


def test_no_other_module_states_a_version_of_its_own() -> None:
    modules = [path for one in distributions().values() for path in one.folder.glob("src/*/**/*.py")]
    stating = [str(path.relative_to(ROOT)) for path in modules if "\n__version__ = " in path.read_text()]
    assert stating == [str(release.KERNEL.relative_to(ROOT))]
