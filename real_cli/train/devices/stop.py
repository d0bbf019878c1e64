"""A request to stop that reaches all processes of a run at the same step."""

from real_cli.cli.guard import StopRequest
from real_cli.errors import Status
from real_cli.train.world import World


class AgreedStop:
    """What a signal to any process asks of all of them: true from the step at which they agreed on it."""

    def __init__(self, request: StopRequest, world: World) -> None:
        self._request = request
        self._world = world

    def agree(self) -> bool:
        """Ask, at the end of a step, whether a signal has come to any process."""
        if self._world.size > 1:
            self._signum = self._world.largest(self._request.signum)
        return bool(self)

    def __bool__(self) -> bool:
        return bool(self._signum if self._world.size > 1 else self._request.signum)

    _signum = 0

    @property
    def status(self) -> Status:
        """The exit status of the signal."""
        if self._world.size > 1:
            self._request.signum = self._signum
        return self._request.status
