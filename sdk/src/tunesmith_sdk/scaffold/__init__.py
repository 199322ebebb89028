"""New plugins from a template, and what later versions of the template bring merged into them. Works by Copier (extra ``scaffold``)."""

from tunesmith_sdk.scaffold.making import Wanted, make
from tunesmith_sdk.scaffold.updating import update

__all__ = ["Wanted", "make", "update"]
