"""New plugins from a template, and what later versions of the template bring merged into them. Works by Copier (extra ``scaffold``)."""

from tunesmith_sdk.scaffold.new_plugin import Wanted, make
from tunesmith_sdk.scaffold.template_update import update

__all__ = ["Wanted", "make", "update"]
