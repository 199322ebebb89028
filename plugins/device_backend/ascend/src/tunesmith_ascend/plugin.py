"""What tunesmith-ascend brings: the device backend `npu`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_ascend.device_catalog import CARDS


@hookimpl
def device_backend():
    return Provider("npu", "Ascend NPUs", "tunesmith_ascend.device:Npu", facts={"torch": "npu", "cards": CARDS}, priority=10)
