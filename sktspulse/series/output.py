"""The container that transformers return."""

from __future__ import annotations

from typing import Any, Literal, Self

from scipy.sparse import issparse
from sklearn import get_config

from .containers import to_library

__all__ = ["OutputMixin"]


class OutputMixin:
    """``set_output`` of scikit-learn for panels.

    Unlike in scikit-learn, answers with other than two axes are returned as they are, and
    data frames that have an index of series and time are taken as input.
    Subclasses have ``get_feature_names_out``, and ``transform`` returns
    ``self._to_output(answer, X)``. List this class before ``TransformerMixin``.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Switch off what scikit-learn does to ``transform``."""
        super().__init_subclass__(auto_wrap_output_keys=None, **options)  # type: ignore[call-arg]

    def set_output(
        self, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> Self:
        """Choose the container that ``transform`` returns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Library of the data frame, for answers with two axes; others are not affected.
            ``"default"`` returns what the method documents; None changes nothing.

        Returns
        -------
        estimator instance
            This object.

        Raises
        ------
        ValueError
            If the library is none of these.
        """
        if transform not in ("default", "pandas", "polars", None):
            raise ValueError(
                f"transform is {transform!r}, expected 'default', 'pandas', 'polars' or None. "
                "Choose one of them."
            )
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # copied by clone
        return self

    def _to_output(self, answer: Any, X: Any = None) -> Any:
        """Return an answer in the library that was chosen, with the labels of the series of X."""
        config = {"transform": get_config()["transform_output"]}
        library = getattr(self, "_sklearn_output_config", config)["transform"]
        if library == "default":
            return answer
        if issparse(answer):
            raise ValueError(
                f"The transformer outputs a scipy sparse matrix. {type(self).__name__} cannot "
                f"return it as a {library} data frame. Call set_output(transform='default') on it."
            )
        index = _series_index(X, len(answer))
        return to_library(answer, library, self.get_feature_names_out(), index)  # type: ignore[attr-defined]


def _series_index(X: Any, n_series: int) -> Any:
    """Return the labels that a pandas container has for its series, or None."""
    index: Any = getattr(X, "index", None)
    if not hasattr(index, "nlevels"):
        return None
    if len(index) != n_series:
        index = index.get_level_values(0).unique()
    return index if len(index) == n_series else None
