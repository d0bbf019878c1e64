"""A command's run over several workers: windows go out as they are read, and what comes back is written in order."""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from typing import IO, Any

from real_cli.cluster.counts import Counts, add_counts, read_counts
from real_cli.cluster.crew import Crew
from real_cli.cluster.line_filter import FilteredWindow, LineFilter, RecordFilter
from real_cli.cluster.open_crew import CrewOptions, open_crew
from real_cli.cluster.windows import cut_windows, replay
from real_cli.errors import Status
from real_cli.io.job import Job, Located
from real_cli.io.progress import say
from real_cli.io.read_ahead import ReadAhead

# Windows under way for each worker: one that it works on and one that waits, so that it never does.
WINDOWS_A_WORKER = 2


def filter_here(job: Job, work: RecordFilter, located: Iterable[Located]) -> None:
    """Work on the windows of a stream in this process."""
    for window in cut_windows(job, located, work.size, work.limit):
        work.run(job, replay(job, window))


def filter_job(job: Job, options: CrewOptions, lines: LineFilter[Any]) -> Status:
    """Run a command that works on its input as it is, here or by a crew."""
    work = lines.work
    with job, open_crew(options, lines) as crew:
        located = job.records(work.read)
        if crew is not None:
            Spread(job, work, crew)(located)
        else:
            filter_here(job, work, located)
            job.summary = work.sentence()
    return job.status


class Spread:
    """Lets a crew work on the windows of a stream, and gives a job what comes back, in the order of the input.

    Windows are read in a thread: a silent pipe does not hold back what is done. A bounded number is under way.
    """

    def __init__(self, job: Job, work: RecordFilter, crew: Crew) -> None:
        self._job = job
        self._work = work
        self._crew = crew
        self._rejects: IO[bytes] | None = job.rejects_file
        self._counts: Counts = {}
        self._heard: set[str] = set()

    def __call__(self, located: Iterable[Located]) -> None:
        """Work on a stream; the job's summary tells what was done."""
        self._job.counter.add(0)  # what is done counts, not what is read
        most = WINDOWS_A_WORKER * self._crew.num_workers
        ahead = ReadAhead(cut_windows(self._job, located, self._work.size, self._work.limit), 1)
        pending: deque[Future[FilteredWindow]] = deque()
        problem: Exception | None = None
        while True:
            ahead.acknowledge()
            try:
                while problem is None and len(pending) < most and (window := ahead.take()):
                    pending.append(self._crew.submit(window))
                    pending[-1].add_done_callback(lambda _: ahead.wake())
            except Exception as error:  # raised once the windows before it are written
                problem = error
            if pending and pending[0].done():
                self._write(pending.popleft().result())
            elif pending or (problem is None and not ahead.is_done):
                ahead.wait()
            elif problem is not None:
                raise problem
            else:
                break
        self._job.summary = self._sentence()

    def _write(self, done: FilteredWindow) -> None:
        job = self._job
        job.num_rejected += done.num_rejected
        job.num_dropped.update(done.num_dropped)
        job.joined_rows.num_noted.update(done.num_noted)
        job.counter.num_done += done.num_done
        self._counts = add_counts(self._counts, done.counts)
        for line in dict.fromkeys(done.words):
            if line not in self._heard and not job.quiet:
                say(line)
        self._heard.update(done.words)
        if self._rejects is not None:
            self._rejects.write(done.rejects)
        job.write_line(done.output)
        if done.error is not None:
            raise done.error
        job.flush()

    def _sentence(self) -> str:
        if not self._counts:  # nobody worked
            return self._work.sentence()
        return self._crew.sentence(add_counts(read_counts(self._work.counted), self._counts))
