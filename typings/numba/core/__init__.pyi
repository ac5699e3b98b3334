# The part of Numba's inner parts that Vedette uses.
