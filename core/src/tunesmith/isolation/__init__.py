"""The worker, the protocol it speaks with the host, and the environments it lives in."""
