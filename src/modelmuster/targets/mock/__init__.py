"""The mock runtime: small NumPy functions that honour each family's contract, and run no model at all.

It proves that the plumbing works where neither torch nor transformers is installed, and it tests the checks: told to
break a property, it must be caught. Its results are marked as mock wherever they are shown, and are never counted.
"""
