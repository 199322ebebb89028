"""What other loaders are made of: all of `tunesmith_file` that other distributions may import. `describe` says what format the files in a
directory are and what the model's config is, `find` which of some file names belong to a model. A name is imported at its first use."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_file.cache_folder import cache_root, offline, read_cached_json, write_json
    from tunesmith_file.declared_layouts import DeclaredLayout, declared_layouts, kept_layouts
    from tunesmith_file.digests import revision_of, sha256_of
    from tunesmith_file.file_copy import copy_files
    from tunesmith_file.gguf import NotGGUF, read_header
    from tunesmith_file.gguf_config import config_of
    from tunesmith_file.loader import path_of
    from tunesmith_file.locks import file_lock
    from tunesmith_file.model_description import describe, describe_layout, format_of, gguf_config, read_json, with_quantization
    from tunesmith_file.model_files import Layout, find

__all__ = [
    "DeclaredLayout",
    "Layout",
    "NotGGUF",
    "cache_root",
    "config_of",
    "copy_files",
    "declared_layouts",
    "describe",
    "describe_layout",
    "file_lock",
    "find",
    "format_of",
    "gguf_config",
    "kept_layouts",
    "offline",
    "path_of",
    "read_cached_json",
    "read_header",
    "read_json",
    "revision_of",
    "sha256_of",
    "with_quantization",
    "write_json",
]

_MODULES = {
    "cache_folder": "cache_root, offline, read_cached_json, write_json",
    "declared_layouts": "DeclaredLayout, declared_layouts, kept_layouts",
    "digests": "revision_of, sha256_of",
    "file_copy": "copy_files",
    "gguf": "NotGGUF, read_header",
    "gguf_config": "config_of",
    "loader": "path_of",
    "locks": "file_lock",
    "model_description": "describe, describe_layout, format_of, gguf_config, read_json, with_quantization",
    "model_files": "Layout, find",
}
__getattr__ = exports(__name__, {name: f"tunesmith_file.{module}" for module, names in _MODULES.items() for name in names.split(", ")})
