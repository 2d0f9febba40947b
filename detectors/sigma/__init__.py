"""Sigma rules and correlations as detectors over our tables: https://sigmahq.io, read with pySigma."""
