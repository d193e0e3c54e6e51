"""Benchmarks: every fused kernel beside its NumPy twin (see README.md)."""
