"""TSLens: its sizes, its slow twin, and where it starts from."""

from __future__ import annotations

import naive_lens
import numpy as np
import pytest
import torch

from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tslens import LensSizes, TSLens
from sktspulse.network.tspulse import TSPulse

SMALL = TSPulseConfig(
    context_length=16,
    patch_length=4,
    d_model=6,
    n_layers=1,
    n_decoder_layers=2,
    n_registers=2,
    n_register_layers=1,
    n_signature_bins=5,
    forecast_length=3,
)


def build(sizes, config=SMALL, *, tune_embeddings=False, disturb=True):
    """Build a lens in double precision; disturbed, no weight of it is zero or one."""
    network = TSPulse(config).double().eval()
    lens = TSLens(network, sizes, tune_embeddings=tune_embeddings).double().eval()
    with torch.no_grad():
        for parameter in lens.parameters() if disturb else ():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network, lens


def draw(n, n_channels, config=SMALL):
    x = torch.randn(n, n_channels, config.context_length, dtype=torch.float64)
    observed = torch.rand(n, 1, config.context_length) > 0.2
    moments = torch.randn(n, 2 * n_channels, dtype=torch.float64)
    return x, observed.expand(x.shape), moments


@pytest.mark.parametrize(
    "sizes", [LensSizes(1, 2), LensSizes(3, 4), LensSizes(2, 1, 2, 2), LensSizes(1, 3, 3)]
)
def test_it_answers_as_its_twin(sizes):
    _, lens = build(sizes)
    x, observed, moments = draw(2, sizes.n_channels)
    changes = {"n_channels": sizes.n_channels, "channel_expansion": sizes.channel_expansion}
    config = TSPulseConfig.from_dict({**vars(SMALL), **changes})
    # The twin of a network runs all heads, so there must be some.
    heads = {f"network.{name}": w for name, w in TSPulse(config).state_dict().items()}
    weights = {k: w.numpy() for k, w in {**heads, **lens.state_dict()}.items()}
    answers = lens(moments, x=x, observed=observed).detach().numpy()
    assert answers.shape == (2, sizes.n_outputs)
    for i in range(2):
        window = (x[i].tolist(), observed[i].tolist(), moments[i].tolist())
        np.testing.assert_allclose(answers[i], naive_lens.lens(weights, config, *window))


def test_tokens_stand_for_the_windows_they_were_made_of():
    _, lens = build(LensSizes(3, 4, 2))
    x, observed, moments = draw(5, 3)
    tokens = lens.encode(x, observed)
    assert tokens.shape == (SMALL.n_tokens, 5, 3, SMALL.d_model)
    expected = lens(moments, x=x, observed=observed)
    torch.testing.assert_close(lens(moments, tokens=tokens.movedim(0, 1)), expected)


def test_it_has_as_many_parameters_as_the_published_classifier():
    """Six channels, twice expanded, and four classes: the one for BasicMotions."""
    lens = TSLens(load_checkpoint("tspulse-p16"), LensSizes(6, 4, 2), tune_embeddings=True)
    assert sum(parameter.numel() for parameter in lens.parameters()) == 372_257


def test_channel_mixers_start_as_nearly_the_identity():
    network, lens = build(LensSizes(4, 2), disturb=False)
    x, observed, _ = draw(3, 4)
    tokens = network.encode(x, observed).tokens
    for layer in lens.network.decoder:
        mixed = layer[0](tokens)
        assert 0 < (mixed - tokens).std() < 0.1 * tokens.std()
        # Half of itself through a gate of one fourth: nothing comes over from other channels.
        alone = layer[0](torch.where(torch.arange(4)[:, None] == 2, tokens, 0 * tokens))
        torch.testing.assert_close(alone[:, :, 2], mixed[:, :, 2])


def test_one_channel_has_no_channel_mixer_and_the_decoder_it_came_with():
    network, lens = build(LensSizes(1, 2), disturb=False)
    x, observed, _ = draw(3, 1)
    encoding = network.encode(x, observed)
    decoded = lens.network.decoder(lens.encode(x, observed))
    torch.testing.assert_close(decoded, network.decode(encoding).tokens)


@pytest.mark.parametrize("tune_embeddings", [False, True])
def test_only_decoder_head_and_embeddings_are_trained(tune_embeddings):
    _, lens = build(LensSizes(2, 3), tune_embeddings=tune_embeddings, disturb=False)
    x, observed, moments = draw(2, 2)
    lens(moments, x=x, observed=observed).square().sum().backward()
    with_gradient = {name for name, w in lens.named_parameters() if w.grad is not None}
    assert with_gradient == set(lens.trained_state())
    parts = {".".join(name.split(".")[:3]) for name in with_gradient}
    frozen = {part for part in parts if part.startswith("network.backbone")}
    names = ("time", "frequency") if tune_embeddings else ()
    assert frozen == {f"network.backbone.{name}_embedding" for name in names}


def test_the_trained_weights_are_all_that_a_lens_is_beside_its_network():
    network, lens = build(LensSizes(2, 3), disturb=False)
    with torch.no_grad():
        for parameter in lens.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter))
    other = TSLens(network, LensSizes(2, 3), tune_embeddings=False).double()
    assert not other.load_state_dict(lens.trained_state(), strict=False).unexpected_keys
    x, observed, moments = draw(2, 2)
    windows = {"moments": moments, "x": x, "observed": observed}
    torch.testing.assert_close(other(**windows), lens(**windows))
