"""What tunesmith-hub-folder brings: the exporter `huggingface`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_hub_folder.settings import HubFolderSettings


@hookimpl
def exporter():
    return Provider(
        "huggingface",
        "a folder to upload to the hub: a model or an adapter, and a card with its base, data, settings and metrics",
        "tunesmith_hub_folder.exporter:HubFolder",
        settings=HubFolderSettings,
        accepts=("model/*+*", "adapter/*+*"),
        produces=("folder/huggingface",),
        capabilities={"lossless": "full", "device.cpu": "full"},
        facts={"metrics": {"bytes": {"better": "lower", "summary": "of all its files"}}, "reports": True},
        estimator="tunesmith_hub_folder.estimate:estimate",
    )
