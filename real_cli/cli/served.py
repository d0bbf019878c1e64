"""Ask a server that embeds or scores about the records of a job."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from real_cli.cli.llm import NUM_DESCRIPTORS, Answered, answered_of
from real_cli.cli.prices import LARGEST_PRICE, check_cost, open_budget
from real_cli.cli.server_options import ServerOptions
from real_cli.errors import UsageError
from real_cli.io.descriptors import need_descriptors
from real_cli.io.job import Job, Located
from real_cli.io.progress import speaker
from real_cli.io.sources import is_at_hand
from real_cli.llm.ask import ConcurrentInquirer, Opened
from real_cli.llm.cache import AnswerCache, NoCache
from real_cli.llm.cost import Ledger, Price
from real_cli.llm.endpoint import Server
from real_cli.llm.served.batched_endpoint import BatchedEndpoint
from real_cli.llm.served.wire import Wire
from real_cli.llm.spending.budget import Bill
from real_cli.records.questions import Inquiry
from real_cli.records.record import Record
from real_cli.text.phrases import say_count

Outcome = TypeVar("Outcome")


class AskedCounts:
    """What was asked of a server, and answered.

    Attributes:
        num_requests: Requests that were answered.
        num_known: Questions that the cache answered.
        num_tokens: Tokens that the server counted.
        num_unreadable: Answers that could not be read.
    """

    def __init__(self) -> None:
        self.num_requests = self.num_known = self.num_tokens = self.num_unreadable = 0

    def add(self, ledger: Ledger, answerer: BatchedEndpoint) -> None:
        """Add what was asked while a server was open."""
        self.num_requests += answerer.num_replies
        self.num_known += ledger.num_known
        self.num_tokens += ledger.num_prompt_tokens
        self.num_unreadable += ledger.num_unreadable


class BatchAsking:
    """Asks a server that embeds or scores about the records of a job, once or several times.

    Attributes:
        counts: What was asked.
    """

    def __init__(self, options: ServerOptions, model: str, wire: Wire, batch_size: int) -> None:
        options.check_server(model)
        if options.no_cache and options.cache is not None:
            raise UsageError("--no-cache and --cache contradict each other")
        check_cost(options, "IN")
        if options.price is not None and not 0 <= options.price <= LARGEST_PRICE:  # NaN too
            raise UsageError(
                f"--price {options.price:g}: a number from 0 to {LARGEST_PRICE:,}, dollars a million tokens, is needed"
            )
        self.counts = AskedCounts()
        self._options, self._model, self._wire, self._batch_size = options, model, wire, batch_size
        self._bill_words = ""

    def __call__(
        self, job: Job, begin: Callable[[Record], Inquiry[Outcome]], located: Iterable[Located]
    ) -> Iterator[Answered]:
        """Run an inquiry for each record, in order; the job takes those that got no answer, with the reason."""
        need_descriptors(NUM_DESCRIPTORS)
        options = self._options
        bill = None if options.price is None else Bill(Price(options.price, 0.0), open_budget(options))
        answerer = self._answerer(bill)
        begun = job.apply(lambda record: (record, begin(record)), located)
        opened = (Opened(place, record, inquiry) for place, (record, inquiry) in begun)
        with self._open_cache() as cache:
            ledger = Ledger(self._model, cache, key=self._wire.key)
            job.counter.note = lambda: say_count(answerer.num_replies, "request")
            # Enough questions to fill every request in flight.
            with ConcurrentInquirer(answerer, ledger, options.concurrency * self._batch_size) as inquirer:
                yield from answered_of(job, inquirer(opened, counts_rest=all(map(is_at_hand, job.sources))))
        self.counts.add(ledger, answerer)
        self._bill_words = f", {bill.sentence()}" if bill else ""

    def sentence(self) -> str:
        """Report what was asked, to end a summary."""
        counts = self.counts
        text = f"; {say_count(counts.num_requests, 'request')} ({say_count(counts.num_known, 'answer')} known)"
        text += f", {say_count(counts.num_tokens, 'token')}{self._bill_words}"
        if counts.num_unreadable:
            text += f"; {say_count(counts.num_unreadable, 'answer')} could not be read"
        return text

    def _answerer(self, bill: Bill | None) -> BatchedEndpoint:
        options = self._options
        assert options.endpoint is not None  # else a model on this machine is asked
        return BatchedEndpoint(
            Server(options.endpoint, self._model, options.key_variable, options.retries, options.timeout),
            self._wire,
            speaker(options.quiet),
            bill,
            batch_size=self._batch_size,
            num_at_once=options.concurrency,
        )

    def _open_cache(self) -> Any:
        from real_cli.models.load.resolve import private_cache_folder

        if self._options.no_cache:
            return NoCache()
        return AnswerCache(self._options.cache or private_cache_folder() / "answers")
