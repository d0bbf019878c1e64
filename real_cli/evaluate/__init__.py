"""`real eval`: one folder, or one file, per evaluation. May import cli and below, pair's rules, and train.curves.

To add one, write `NAME.py` (or a folder NAME with `command.py`): a class below `evaluation.Evaluation`, options below
`options.EvaluationOptions`, and a `typed_command` called NAME; then run `python -m real_cli.docs`. Of pair's rules its
command is no part.
"""
