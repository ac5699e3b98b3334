# The part of llvmlite that Vedette uses.
