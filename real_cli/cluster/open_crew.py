"""Who works on a command's windows, by its options."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from real_cli.cluster.crew import Crew, Worker
from real_cli.cluster.devices import worker_environments
from real_cli.cluster.line_filter import LineFilter
from real_cli.cluster.processes import ProcessWorker
from real_cli.cluster.remote import Parcel


class CrewOptions(Protocol):
    """Where a command's work is done."""

    @property
    def device(self) -> str:
        """What --device names."""
        ...

    @property
    def devices(self) -> str:
        """What --devices names."""
        ...

    @property
    def on(self) -> str | None:
        """What --on names."""
        ...


@contextmanager
def open_crew(options: CrewOptions, lines: LineFilter[Any]) -> Iterator[Crew | None]:
    """Choose workers; None where this process does the work."""
    parcel = Parcel(lines)
    if options.on is not None:
        from real_cli.cluster.ray_actors import ray_workers

        with ray_workers(options.on, options.device, options.devices, parcel) as actors, Crew(list(actors)) as crew:
            yield crew
        return
    processes: list[Worker] = [
        ProcessWorker(parcel, environment) for environment in worker_environments(options.device, options.devices)
    ]
    if not processes:
        yield None
        return
    with Crew(processes) as crew:
        yield crew
