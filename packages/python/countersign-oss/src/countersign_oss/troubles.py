"""What can be wrong with the instance itself, as opposed to what a test finds out with it."""

from __future__ import annotations


class InstanceError(RuntimeError):
    """The instance cannot be used; the text says why and what to do."""


class BinaryMissing(InstanceError):
    """There is no `countersign` here, or none that this machine can run."""


class InstanceNotStarted(InstanceError):
    """The binary was started and did not become ready; the text has what it wrote."""


class InstanceEnded(InstanceError):
    """The instance was ready and is not there any more; the text has what it wrote last."""
