"""Choose who answers a command's questions, from its options: a server, a local model, or an earlier batch."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from real_cli.cli.dry_run import is_seen, sum_up
from real_cli.cli.llm_options import LlmOptions
from real_cli.cli.option_sets import flag_of
from real_cli.cli.prices import check_cost, open_budget, parse_price
from real_cli.cli.typed_command import shown_fields
from real_cli.errors import RecordError, Status, UsageError
from real_cli.io.descriptors import need_descriptors
from real_cli.io.job import Job, Located
from real_cli.io.output import STANDARD_OUTPUT, open_output
from real_cli.io.progress import speaker
from real_cli.io.sources import is_at_hand
from real_cli.llm.ask import Closed, ConcurrentInquirer, Opened, WindowInquirer
from real_cli.llm.cost import Ledger, Price
from real_cli.llm.endpoint import Endpoint, Server, check_address
from real_cli.llm.openai_batch import BatchWriter, ResultsAlone, Waiting, read_results
from real_cli.llm.spending.budget import Bill, Budget
from real_cli.llm.spending.dry_run import DryRun, WatchedCache
from real_cli.llm.spending.tokens import choose_counter
from real_cli.models.load.device import default_batch_tokens
from real_cli.records.questions import Inquiry
from real_cli.records.record import Record
from real_cli.text.phrases import say_count

Outcome = TypeVar("Outcome")


# Options by who reads them.
KEPT = {"cache", "no_cache", "apply_results"}
SERVED = {"endpoint", "key_variable", "concurrency", "retries", "timeout", "price", "thinks", "max_cost", "dry_run"}
LOCAL = {"batch_tokens", "device", "dtype", "base", "price", "dry_run"}
WRITTEN = {"emit_requests", "thinks", "dry_run"}
# Their defaults, in the order of the help.
UNSET = {
    field.name: field.default for field in shown_fields(LlmOptions) if field.name in KEPT | SERVED | LOCAL | WRITTEN
}


class Answered(NamedTuple):
    """A record, its place and the outcome of its inquiry."""

    place: str
    record: Record
    outcome: Any


def answered_of(
    job: Job, closed: Iterable[Closed[Any]], failed: Callable[[RecordError], Any] | None = None
) -> Iterator[Answered]:
    """Pass on what was answered; the job takes the records that got no answer, with the reason, or `failed` does."""
    for place, record, outcome, problem in closed:
        if problem is None:
            yield Answered(place, record, outcome)
            job.flush()  # answers are slow; the reader of a pipe should not wait for the next ones
            continue
        if failed is not None:
            yield Answered(place, record, failed(problem))
            continue
        job.counter.refuse()
        if isinstance(problem, Waiting):
            job.drop(place, record, str(problem))
        else:
            job.give_up(place, record, str(problem))


def check_answerer(options: LlmOptions, model: str | None) -> None:
    """Refuse options that contradict each other, or that nobody would read; without a model nobody is asked."""
    if options.emit_requests is not None and options.endpoint is not None:
        raise UsageError("--emit-requests asks nobody; leave out --endpoint")
    if options.emit_requests == STANDARD_OUTPUT:
        raise UsageError("--emit-requests -: records go to standard output; name a file")
    if options.no_cache and options.cache is not None:
        raise UsageError("--no-cache and --cache contradict each other")
    check_cost(options)
    answers, read = answerer_of(options, model)
    given = [name for name in given_settings(options) if name not in read]
    if given:
        raise UsageError(f"{', '.join(map(flag_of, given))}: not read where {answers}; leave it out")


def given_settings(options: LlmOptions) -> list[str]:
    """Name the options about who answers that are not as they stand by default."""
    return [name for name, default in UNSET.items() if getattr(options, name) != default]


def answerer_of(options: LlmOptions, model: str | None) -> tuple[str, set[str]]:
    """Name who answers, and the options that they read."""
    if model is None:
        return "nobody is asked", set()
    if options.emit_requests is not None:
        return "questions are written to a file", KEPT | WRITTEN | ({"price"} if options.dry_run else set())
    if options.endpoint is not None:
        return "a server answers", KEPT | SERVED
    if options.apply_results is not None:
        return "a batch has answered", KEPT
    return "a model on this machine answers", KEPT | LOCAL


# For a cache, an event loop and connections: libraries that cannot open one report something else, or nothing.
NUM_DESCRIPTORS = 12


class Asking:
    """Ask a language model about the records of a job.

    with Asking(options, model) as asking:
        for place, record, outcome in asking(job, begin): ...
    """

    def __init__(
        self,
        options: LlmOptions,
        model: str | None,
        *,
        caches: bool = True,
        default_tokens: Callable[[Any], int] = default_batch_tokens,
        budget: Budget | None = None,
    ) -> None:
        check_answerer(options, model)
        self._options = options
        self._model = model
        self._caches = caches and not options.no_cache
        self._price = parse_price(options.price)
        self._budget = budget or open_budget(options)
        self._bill: Bill | None = None
        self._writer: BatchWriter | None = None
        # Batch tokens of a local model; some commands write more than they read.
        self._default_tokens = default_tokens

    def __enter__(self) -> Self:
        need_descriptors(NUM_DESCRIPTORS)
        applied = self._options.apply_results
        with ExitStack() as stack:
            results = read_results(applied) if applied else None
            self._cache = stack.enter_context(self._open_cache())
            kept = WatchedCache(self._cache) if self._options.dry_run else self._cache
            self._ledger = Ledger(self._model or "", kept, results)
            self._inquirer = self._count(kept) if isinstance(kept, WatchedCache) else self._choose(stack)
            stack.enter_context(self._inquirer)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def __call__(
        self,
        job: Job,
        begin: Callable[[Record], Inquiry[Outcome]],
        located: Iterator[Located] | None = None,
        *,
        failed: Callable[[RecordError], Outcome] | None = None,
    ) -> Iterator[Answered]:
        """Run an inquiry for each record, in order; the job takes those that got no answer, with the reason.

        With `failed` they go on too, with what it makes of the reason.
        """
        if self._options.endpoint is not None:
            job.counter.note = self._note
        begun = job.apply(lambda record: (record, begin(record)), job.records() if located is None else located)
        opened = (Opened(place, record, inquiry) for place, (record, inquiry) in begun)
        # The rest of a file can be counted, that of a pipe may take days.
        counted = {"counts_rest": all(map(is_at_hand, job.sources))}
        counted = counted if isinstance(self._inquirer, ConcurrentInquirer) else {}
        yield from answered_of(job, self._inquirer(opened, **counted), failed)

    def sentence(self) -> str:
        """Report what was asked, to end a summary; empty if nobody was asked."""
        if self._model is None:
            return ""
        missed: str = self._ledger.unused() + self._cache.sentence()
        if self._writer is not None:
            return f"; {self._writer.num_written:,} requests written to {self._options.emit_requests}{missed}"
        bill = self._bill.sentence() if self._bill else ""
        return f"; {self._ledger.sentence(self._price, bill, is_local=self._options.is_local)}{missed}"

    def rehearse(
        self, job: Job, begin: Callable[[Record], Inquiry[Outcome]], located: Iterator[Located] | None = None
    ) -> Status:
        """Show what a run over a job's records would ask and cost."""
        as_table = is_seen()
        with job, self:
            deque(self(job, begin, located), maxlen=0)
            show = sum_up([self.dry_run], self.price, job, as_table=as_table)
        show()
        return job.status

    @property
    def dry_run(self) -> DryRun:
        """What was counted in place of asking."""
        assert isinstance(self._inquirer, DryRun)
        return self._inquirer

    @property
    def ledger(self) -> Ledger:
        """What was asked, once it is open."""
        return self._ledger

    @property
    def price(self) -> Price | None:
        """Dollars for a million tokens."""
        return self._price

    @property
    def mean_cost(self) -> float | None:
        """Dollars that a call cost in this run; None where no price or no call tells."""
        calls = self._ledger.num_calls
        return self._ledger.cost(self._price) / calls if self._price is not None and calls else None

    def _note(self) -> str:
        calls = say_count(self._ledger.num_calls, "call")
        return f"{calls}, ${self._ledger.cost(self._price):,.2f}" if self._price else calls

    def _open_cache(self) -> Any:
        from real_cli.llm.cache import AnswerCache, NoCache, open_to_read
        from real_cli.models.load.resolve import cache_folder, private_cache_folder

        if not self._caches or self._model is None:
            return NoCache()
        if self._options.dry_run:
            return open_to_read(self._options.cache or cache_folder() / "answers")
        return AnswerCache(self._options.cache or private_cache_folder() / "answers")

    def _count(self, cache: WatchedCache) -> DryRun:
        model, options = str(self._model), self._options
        if options.endpoint is not None:
            check_address(options.endpoint, options.key_variable)
        counter = choose_counter(model, is_local=options.is_local)
        again = options.endpoint is not None
        return DryRun(model, cache, self._ledger, counter, asks_again=again, price=self._price)

    def _choose(self, stack: ExitStack) -> ConcurrentInquirer | WindowInquirer | DryRun:
        options, model, notify = self._options, self._model, speaker(self._options.quiet)
        if model is None:  # the records hold the answers
            return self._nobody()
        if options.emit_requests is not None:
            file = stack.enter_context(open_output(options.emit_requests))
            self._writer = BatchWriter(self._ledger, file, thinks=options.thinks)
            return WindowInquirer(self._writer, self._ledger)
        if options.endpoint is not None:
            server = Server(
                options.endpoint, model, options.key_variable, options.retries, options.timeout, options.thinks
            )
            self._bill = Bill(self._price, self._budget) if self._price else None
            return ConcurrentInquirer(Endpoint(server, notify, self._bill), self._ledger, options.concurrency)
        if options.apply_results is not None:
            return self._nobody()
        from real_cli.models.generate.generation import LocalAnswerer

        local = LocalAnswerer(
            model,
            device=options.device,
            precision=options.dtype,
            batch_tokens=options.batch_tokens,
            tell=notify,
            default_tokens=self._default_tokens,
        )
        return WindowInquirer(local, self._ledger)

    def _nobody(self) -> WindowInquirer:
        # Batching gains nothing here: each record is done before the next is read.
        return WindowInquirer(ResultsAlone(self._ledger), self._ledger, window_records=1)
