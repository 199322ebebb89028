"""What tunesmith-ascend brings: the device backend `npu`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_ascend.device_catalog import CARDS


@hookimpl
def device_backend():
    facts = {"torch": "npu", "visible": "ASCEND_RT_VISIBLE_DEVICES", "cards": CARDS, "self_test": "tunesmith_devices.self_test:run"}
    return Provider("npu", "Ascend NPUs", "tunesmith_ascend.device:Npu", facts=facts, priority=10)
