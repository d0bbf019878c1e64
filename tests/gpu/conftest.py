"""Cases, models and pairs of the GPU's tests. On a GPU the cases are CUDA's, elsewhere the same on a CPU."""

import gc

import pytest

from tests.gpu.models import Case, is_large, make_encoder, make_llama, on_cuda

NUM_PAIRS = 16


def pytest_generate_tests(metafunc):
    """Give a test that takes a `case` both number formats of the device that is here."""
    if "case" in metafunc.fixturenames:
        formats = getattr(metafunc.function, "formats", ("float32", "bfloat16"))
        device = "cuda:0" if on_cuda() else "cpu"
        metafunc.parametrize("case", [Case(device, name) for name in formats], ids=str)


def pytest_collection_modifyitems(items):
    """Leave the device its name: what only CUDA can show is skipped elsewhere."""
    if not on_cuda():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="needs CUDA"))


@pytest.fixture(autouse=True)
def clean_device():
    """Give back what a test held, so that tests do not depend on their order."""
    yield
    import torch

    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


@pytest.fixture(autouse=True)
def computes_as_a_gpu(request, monkeypatch):
    """On a CPU `auto` is float32: a case of it is told to compute in bfloat16 there, as on a GPU."""
    case = getattr(request.node, "callspec", None) and request.node.callspec.params.get("case")
    if case == ("cpu", "auto"):
        import torch

        monkeypatch.setattr("real_cli.models.load.device.choose_dtype", lambda device, precision: torch.bfloat16)


@pytest.fixture(scope="session")
def device():
    """The device of this machine, as --device names it."""
    return "cuda:0" if on_cuda() else "cpu"


@pytest.fixture(scope="session")
def policy(tmp_path_factory):
    """A random Llama."""
    return make_llama(tmp_path_factory.mktemp("policy"), large=is_large())


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """Another one."""
    return make_llama(tmp_path_factory.mktemp("reference"), seed=1, large=is_large())


@pytest.fixture(scope="session")
def small_policy(tmp_path_factory):
    """A tiny Llama on every device, where it is not the numbers that matter."""
    return make_llama(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    """A random encoder."""
    return make_encoder(tmp_path_factory.mktemp("encoder") / "model", large=is_large())


@pytest.fixture(scope="session")
def pairs():
    """Pairs whose prompts and responses differ in length; every fourth shares the prompt of the one before it."""
    import numpy as np

    from tests.bench import text_of

    draw = np.random.default_rng(0)
    rows = []
    for number in range(NUM_PAIRS):
        prompt = rows[-1]["prompt"] if number % 4 == 3 else text_of(draw, int(draw.integers(4, 40)))
        chosen, rejected = (text_of(draw, int(draw.integers(3, 24))) for _ in range(2))
        rows.append({"id": number, "prompt": prompt, "chosen": chosen, "rejected": rejected})
    return rows
