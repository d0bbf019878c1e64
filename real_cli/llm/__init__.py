"""Asking a language model, wherever it is: rubrics, requests, answers kept, paid for. May import models and below."""
