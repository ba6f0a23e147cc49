"""Side-by-side measurements: mdcv and the libraries people use, in one run, with equal answers.

`mdcv bench` or `python -m bench` runs them; `make bench` writes results.json and the picture.
"""
