"""The conformance kit: every obligation of a connector tried against an emulated provider, and quoted where it is broken."""

from syncd.connectors.conformance import attributes, doubt, finding, ids, listing, merging, parsing, proof, reading, sending, steps, told
from syncd.connectors.conformance.bench import Bench, Broken, Inapplicable, Open, Sent, Swift, Usual
from syncd.connectors.conformance.checks import CHECKS, Check
from syncd.connectors.conformance.runner import Outcome, State, run, run_all

GROUPS = (told, listing, proof, parsing, reading, finding, ids, steps, sending, doubt, merging, attributes)
"""Imported for the checks they register."""

__all__ = [
    "CHECKS",
    "GROUPS",
    "Bench",
    "Broken",
    "Check",
    "Inapplicable",
    "Open",
    "Outcome",
    "Sent",
    "State",
    "Swift",
    "Usual",
    "run",
    "run_all",
]
