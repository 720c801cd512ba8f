"""E-values: how strong an unrecorded confounder would have to be to explain an effect."""

from __future__ import annotations

import math

from cs_helpers.core.errors import ParameterError


def e_value(risk_ratio: float, limit: float | None = None) -> tuple[float, float | None]:
    """E-values of a risk ratio and of the limit of its interval that lies nearest to 1.

        E = RR + sqrt(RR (RR - 1)) for RR >= 1,   of 1 / RR below 1

    A hidden confounder would have to be tied to both the exposure and the outcome by risk ratios of at least E each,
    beyond what was adjusted for, to move the figure to 1; a weaker one could not. 1 for a limit on the other side of 1:
    no confounder is needed. None without a ``limit``.
    Raises ParameterError unless both are finite numbers above 0. Source: VanderWeele & Ding 2017.

    Example:
        >>> [round(each, 1) for each in e_value(0.5, 0.8)]
        [3.4, 1.8]
    """
    for name, value in (("risk_ratio", risk_ratio), ("limit", limit)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ParameterError(f"{name} is {value}: an E-value is of a ratio of risks, a number above 0")
    if limit is None:
        return (_of_ratio(risk_ratio), None)
    crosses = (risk_ratio >= 1) != (limit >= 1)
    return (_of_ratio(risk_ratio), 1.0 if crosses else _of_ratio(limit))


def bias_factor(risk_ratio_outcome: float, risk_ratio_exposure: float) -> float:
    """Largest factor by which a confounder of this strength can move a risk ratio.

        B = RR_UD RR_EU / (RR_UD + RR_EU - 1)

    ``risk_ratio_outcome`` RR_UD: confounder and outcome; ``risk_ratio_exposure`` RR_EU: exposure and confounder; both
    1 or more (turn a ratio below 1 over). B(E, E) = RR for the E-value E of RR. Raises ParameterError for ratios
    below 1. Source: Ding & VanderWeele 2016.
    """
    if not (risk_ratio_outcome >= 1 and risk_ratio_exposure >= 1):
        raise ParameterError(
            f"risk ratios {risk_ratio_outcome} and {risk_ratio_exposure}: turn a ratio below 1 over (1 / ratio)"
        )
    return risk_ratio_outcome * risk_ratio_exposure / (risk_ratio_outcome + risk_ratio_exposure - 1)


def _of_ratio(ratio: float) -> float:
    above = ratio if ratio >= 1 else 1 / ratio
    return above + math.sqrt(above * (above - 1))
