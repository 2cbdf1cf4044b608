"""Answers to a few validation prompts while a run goes on, so that people see it learn."""
