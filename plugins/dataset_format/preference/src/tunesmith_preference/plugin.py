"""What tunesmith-preference brings: the dataset format `preference`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_preference.rows import ROW


@hookimpl
def dataset_format():
    return Provider(
        "preference",
        "pairs to prefer one of: {prompt?, chosen, rejected}",
        "tunesmith_preference.rows:Preference",
        produces=("dataset/preference",),
        facts={"row": ROW},
    )
