"""What tunesmith-storage brings: the model loaders and dataset sources `s3`, `gs`, `oss` and `webdav`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_storage.settings import StorageSettings

_FORMATS = (
    "model/hf",
    "model/gguf",
    "adapter/peft",
    "model/bnb",
    "model/gptq",
    "model/awq",
    "model/compressed-tensors",
    "model/hf+*",
)


def _loader(name, what, target, schemes, secrets):
    return Provider(
        name,
        what,
        f"tunesmith_storage.loaders:{target}Loader",
        settings=StorageSettings,
        produces=_FORMATS,
        facts={"schemes": schemes, "publisher": f"tunesmith_storage.publisher:{target}Publisher"},
        secrets=secrets,
    )


@hookimpl
def model_loader():
    return [
        _loader("s3", "a model in a folder of an S3 bucket", "S3", ["s3"],
                ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")),
        _loader("gs", "a model in a folder of a Google Cloud Storage bucket", "GS", ["gs"], ("GOOGLE_APPLICATION_CREDENTIALS",)),
        _loader("oss", "a model in a folder of an Alibaba Cloud OSS bucket", "OSS", ["oss"],
                ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET")),
        _loader("webdav", "a model in a folder of a WebDAV server", "WebDAV", ["webdav", "webdavs"],
                ("WEBDAV_USERNAME", "WEBDAV_PASSWORD")),
    ]  # fmt: skip


def _source(name, where, target, schemes, secrets):
    return Provider(name, f"rows in {where}", f"tunesmith_storage.dataset_sources:{target}", facts={"schemes": schemes}, secrets=secrets)


@hookimpl
def dataset_source():
    return [
        _source("s3", "an S3 bucket", "S3Datasets", ["s3"], ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")),
        _source("gs", "a Google Cloud Storage bucket", "GSDatasets", ["gs"], ("GOOGLE_APPLICATION_CREDENTIALS",)),
        _source("oss", "an Alibaba Cloud OSS bucket", "OSSDatasets", ["oss"], ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET")),
        _source("webdav", "a WebDAV server", "WebDAVDatasets", ["webdav", "webdavs"], ("WEBDAV_USERNAME", "WEBDAV_PASSWORD")),
    ]
