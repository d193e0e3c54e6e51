"""One place per loss: its exact values, its NumPy twin and its rows in the registry.

The modules are those of `fusedloss`. Tests, benchmarks and the demo find a loss by its row.
"""
