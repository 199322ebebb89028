"""What other distributions may import: the files of a model's folder on the hub, with its card."""

from __future__ import annotations

from tunesmith_hub_folder.hub_files import HubFiles, hub_files
from tunesmith_hub_folder.settings import HubFolderSettings

__all__ = ["HubFiles", "HubFolderSettings", "hub_files"]
