"""The hot operations: for each a slow reference, one door, and fast bodies behind it.

Every operation is one file: the reference in plain torch that reads like the definition, the
`torch.library` door with its fake and, where there is one, its gradient. A body lives in a file
of its own (`..._cpu` in numba, `..._gpu` in Triton) and is imported the first time the door is
called.

Doors trust their caller about shapes: `mdcv.points` and the rooms above check at their own doors.
"""
