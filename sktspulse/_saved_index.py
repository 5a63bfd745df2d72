"""An index in a file: what is kept of an estimator, and how it comes back."""

from __future__ import annotations

import os
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ._catalogue import Catalogue
from ._comparison import Levels
from ._index_file import explained, read_index, write_index
from .base import BaseTSPulse

__all__ = ["BaseSavedIndex"]

_OF_CATALOGUE = ("metric", "store", "index", "window", "stride")
_OTHERS = ("n_neighbors", "radius", "checkpoint")
_SEEN = ("n_features_in_", "n_channels_in_", "fingerprint_")


class BaseSavedIndex(BaseTSPulse):
    """Estimator whose index can be written into a file, and read.

    The class has the methods ``_check_parameters``, ``_prepare`` and ``_keep``.
    """

    transformer_: Any
    _catalogue: Catalogue
    _levels: Levels | None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index into one file, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            Name of the file, ending in ``.safetensors``. It holds the vectors, where
            they come from, and a hash of the network, which is needed to ask.
        """
        check_is_fitted(self)
        parameters = {name: getattr(self, name) for name in _OTHERS}
        parameters["embedding"] = self.transformer_.output
        parameters["channels"] = self.transformer_.channels
        parameters["normalize"] = self._levels is None
        about = {"parameters": parameters, "names": list(getattr(self, "feature_names_in_", ()))}
        about["seen"] = {name: getattr(self, name) for name in _SEEN}
        arrays = self._catalogue.arrays()
        if self._levels is not None:
            arrays["levels"] = np.stack(self._levels)
        write_index(path, arrays, self._catalogue.about() | about)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, checkpoint: str | None = None, device: str = "auto"
    ) -> Self:
        """Read an index from a file.

        Parameters
        ----------
        path : str or path-like
            Name of a file that :meth:`save` wrote. Nothing in it is executed.
        checkpoint : str or path, default=None
            Where the network is; None looks where it was when the index was saved.
        device : str, default="auto"
            Where network and search run.

        Returns
        -------
        TSPulseRetriever
            Ready to be asked, or added to.

        Raises
        ------
        ValueError
            If it is no such file, is damaged, or was made with another network.
        """
        arrays, about = read_index(path)
        with explained(path):
            catalogue = Catalogue.restored(arrays, about)
            parameters = {name: about[name] for name in _OF_CATALOGUE} | about["parameters"]
            if checkpoint is not None:
                parameters["checkpoint"] = checkpoint
            return cls(**parameters, device=device)._restored(
                catalogue, arrays.get("levels"), about
            )

    def _restored(
        self, catalogue: Catalogue, levels: NDArray[Any] | None, about: dict[str, Any]
    ) -> Self:
        """Become what was saved, unless it fits neither the network nor itself."""
        self._check_parameters()
        self.__dict__.update({name: about["seen"][name] for name in _SEEN})
        if about["names"]:
            self.feature_names_in_ = np.array(about["names"], dtype=object)
        self._load_network()
        self._prepare()
        width = len(self.transformer_.get_feature_names_out())
        if not self.normalize:
            self._levels = Levels.restored(levels)
            width += len(self._levels.loc)
        if width != catalogue.index.codes.shape[1]:
            raise ValueError(f"Its vectors do not have {width} numbers. It is damaged.")
        self._keep(catalogue)
        return self
