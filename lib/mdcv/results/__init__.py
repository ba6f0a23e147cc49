"""Results tables: models trained anew with several seeds, measured, and held against the papers."""

from mdcv.results.expectation import Expectation, Reading
from mdcv.results.generative import GENERATIVE, reproduce_generative
from mdcv.results.measurement import Measurement, Summary, summarize

__all__ = [
    "GENERATIVE",
    "Expectation",
    "Measurement",
    "Reading",
    "Summary",
    "reproduce_generative",
    "summarize",
]
