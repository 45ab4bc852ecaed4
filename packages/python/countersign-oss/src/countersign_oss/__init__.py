"""A real object store with real upload callbacks, for the time of a test.

``Instance`` starts Countersign, which takes some milliseconds, on free ports of this machine and with a folder of
its own; when it is stopped, or this process ends in whatever way, nothing is left.

    import countersign_oss

    with countersign_oss.Instance() as instance, instance.callbacks() as callbacks:
        answer = callbacks.upload("photo.jpg", b"bytes")
        assert answer.json() == {"Status": "OK"}
        assert callbacks[0].size == 5

With pytest, install ``pytest-countersign`` and take its fixtures instead.
"""

from .answer import Answer
from .bucket import Bucket
from .callback import Callback
from .callbacks import Callbacks, UnexpectedCallbacks
from .exchange import Refused, Response
from .form import SignedForm
from .instance import Instance
from .troubles import BinaryMissing, InstanceEnded, InstanceError, InstanceNotStarted

__all__ = [
    "Answer",
    "BinaryMissing",
    "Bucket",
    "Callback",
    "Callbacks",
    "Instance",
    "InstanceEnded",
    "InstanceError",
    "InstanceNotStarted",
    "Refused",
    "Response",
    "SignedForm",
    "UnexpectedCallbacks",
]
