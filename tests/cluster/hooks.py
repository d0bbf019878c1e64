"""What tests change in a command that they start: LAUNCHER_HOOK names one of these."""

import os
import signal

WINDOW = 6


def small_windows():
    """Cut windows of six, so that few records make several."""
    from real_cli.embed.embed_filter import EmbedFilter
    from real_cli.embed.embedder import Embedder
    from real_cli.llm.ask import WindowInquirer
    from real_cli.relabel.implicit.implicit_filter import ImplicitFilter
    from real_cli.relabel.reward.reward_filter import RewardFilter
    from real_cli.sample.sample_filter import SampleFilter

    for kind in (EmbedFilter, ImplicitFilter, RewardFilter, SampleFilter):
        kind.limit = WINDOW
    Embedder.__init__.__kwdefaults__["window_texts"] = WINDOW
    WindowInquirer.__init__.__defaults__ = (WINDOW,)


def kill_a_worker():
    """The same, and kill a worker, with its model, when the first window is written."""
    small_windows()
    import psutil

    from real_cli.cluster.spread import Spread

    write = Spread._write

    def kill_and_write(self, done):
        if not self._counts:
            names = [(worker, " ".join(worker.cmdline())) for worker in psutil.process_iter() if is_ours(worker)]
            workers = [worker for worker, name in names if "LineActor" in name or "cluster.worker" in name]
            workers[0].send_signal(signal.SIGKILL)
        write(self, done)

    Spread._write = kill_and_write


def is_ours(process):
    """Whether a process is of this run, or of the test's cluster."""
    import psutil

    try:
        mark = process.environ().get("TEST_OF_WORKERS")
    except psutil.Error:
        return False
    return mark is not None and mark == os.environ["TEST_OF_WORKERS"]
