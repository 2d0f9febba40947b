"""How likely it is that chance alone did something, and what that leaves for intent. Pure."""

import math

__all__ = ["at_least_binomial", "at_least_poisson", "likely"]

_SURE = 0.98
"""Nothing that is seen from outside is surer than this."""


def at_least_poisson(found: int, expected: float) -> float:
    """The probability that chance brings so many or more where so many are expected."""
    if found <= 0:
        return 1.0
    if expected <= 0:
        return 0.0
    term = math.exp(found * math.log(expected) - expected - math.lgamma(found + 1))
    total, number = 0.0, found
    while term > total * 1e-12 and number < found + 1000:
        total += term
        number += 1
        term *= expected / number
    return min(1.0, total)


def at_least_binomial(found: int, of: int, share: float) -> float:
    """The probability that so many or more of some are of a kind of which there is such a share."""
    return min(1.0, sum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(found, of + 1)))


def likely(before: float, chance: float) -> float:
    """The probability of intent, where it was so likely before and chance alone had so likely done the same."""
    return min(_SURE, before / (before + chance))
