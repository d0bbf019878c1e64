"""Ground floor: pure functions on records, vectors and log-probabilities.

No files, no flags, no printing. Shapes in docstrings use one alphabet:

    batch   pairs (or sequences) computed together
    n       responses of one prompt
    dim     numbers of one embedding
    seq     tokens of one sequence
    vocab   entries of the vocabulary

This module imports nothing, so that `real_cli.core.names` stays light enough for `--help`.
"""
