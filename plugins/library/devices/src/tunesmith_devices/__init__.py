"""What device backends share: the self-test of what training and serving compute, and what its outcome leaves of a device.

Importing this imports the standard library alone: backends do it in the planner's process.
"""

from tunesmith_devices.outcome import with_outcome

__all__ = ["with_outcome"]
