"""Signals at a chosen moment of a training run."""

import os
import signal


def stop():
    """A hook of the launcher: in step $STOP_IN, its losses computed and the policy not moved, come signals $STOP_BY."""
    from transformers.trainer_callback import CallbackHandler

    before = CallbackHandler.on_pre_optimizer_step

    def on_pre_optimizer_step(self, args, state, control):
        if state.global_step + 1 == int(os.environ["STOP_IN"]):
            for name in os.environ["STOP_BY"].split(","):
                signal.raise_signal(getattr(signal, name))
        return before(self, args, state, control)

    CallbackHandler.on_pre_optimizer_step = on_pre_optimizer_step
