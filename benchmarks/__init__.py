"""What leyenda claims about its speed and memory, measured: one module per claim.

`make bench` runs them all, `make bench ONLY=train-full` one; `docs/benchmarks.md` says what they measure.
"""
