"""From a name to a model; what the libraries say meanwhile."""

import logging

from real_cli.models.load.resolve import quiet_libraries


def test_retries_of_the_hub_are_not_told_while_a_model_is_looked_for():
    """A name that is nowhere had twenty lines of retries before the one that says so."""
    from huggingface_hub.utils import logging as hub_logging

    hub_logging.set_verbosity_warning()
    library = logging.getLogger("huggingface_hub")
    with quiet_libraries():
        assert not library.isEnabledFor(logging.WARNING)
        assert library.isEnabledFor(logging.ERROR)
    assert library.isEnabledFor(logging.WARNING)
