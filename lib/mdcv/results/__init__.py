"""Results tables: models trained anew with several seeds, measured, and held against the papers."""

from mdcv.results.expectation import Expectation, Reading
from mdcv.results.generative import GENERATIVE, reproduce_generative
from mdcv.results.measurement import Measurement, Summary, summarize
from mdcv.results.sets import SETS, reproduce_sets

__all__ = [
    "GENERATIVE",
    "SETS",
    "Expectation",
    "Measurement",
    "Reading",
    "Summary",
    "reproduce_generative",
    "reproduce_sets",
    "summarize",
]
