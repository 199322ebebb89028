"""The verb `serve`: a model behind the OpenAI API for as long as its step runs, and engines that are programs of their own kept up.

For evaluators and others that ask what is served: `Endpoint`.
"""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_serve.endpoint_client import Endpoint

__all__ = ["Endpoint"]

__getattr__ = exports(__name__, {"Endpoint": "tunesmith_serve.endpoint_client"})
