"""Run an inquiry in a test, with a function for a judge."""

from real_cli.records.questions import Completion, advance, read_answer


def run_inquiry(inquiry, judge):
    """Answer an inquiry by a function of the question's last message; returns its outcome and its rounds of words."""
    rounds, answers = [], None
    while True:
        questions, outcomes = advance(inquiry, answers)
        if outcomes:
            return outcomes[0], rounds
        rounds.append([question.messages[-1]["content"] for question in questions])
        answers = [read_answer(question, Completion(judge(question))) for question in questions]
