"""TSLens: its sizes, its slow twin, its initial weights, and rebuilding it from trained weights."""

from __future__ import annotations

import naive_lens
import numpy as np
import pytest
import torch

from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tslens import TSLensConfig, TSLensNetwork
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


def build(config, *, disturb=True):
    """Build a lens in double precision; if disturbed, none of its weights is zero or one."""
    network = TSPulse(SMALL).double().eval()
    lens = TSLensNetwork(network, config).double().eval()
    with torch.no_grad():
        for parameter in lens.parameters() if disturb else ():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network, lens


def draw(n, n_channels):
    x = torch.randn(n, n_channels, SMALL.context_length, dtype=torch.float64)
    observed = torch.rand(n, 1, SMALL.context_length) > 0.2
    moments = torch.randn(n, 2 * n_channels, dtype=torch.float64)
    return x, observed.expand(x.shape), moments


@pytest.mark.parametrize(
    "config",
    [TSLensConfig(1, 2), TSLensConfig(3, 4), TSLensConfig(2, 1, 2, 2), TSLensConfig(1, 3, 3)],
)
def test_it_answers_as_its_twin(config):
    _, lens = build(config)
    x, observed, moments = draw(2, config.n_channels)
    changes = {"n_channels": config.n_channels, "channel_expansion": config.channel_expansion}
    sizes = TSPulseConfig.from_dict({**vars(SMALL), **changes})
    # The twin of a network runs all heads, so there must be some.
    heads = {f"network.{name}": w for name, w in TSPulse(sizes).state_dict().items()}
    weights = {k: w.numpy() for k, w in {**heads, **lens.state_dict()}.items()}
    answers = lens(x, observed, moments).detach().numpy()
    assert answers.shape == (2, config.n_outputs)
    for i in range(2):
        window = (x[i].tolist(), observed[i].tolist(), moments[i].tolist())
        np.testing.assert_allclose(answers[i], naive_lens.lens(weights, sizes, *window))


def test_it_has_as_many_parameters_as_the_published_classifier():
    """Six channels, twice expanded, and four classes: the one for BasicMotions."""
    config = TSLensConfig(6, 4, 2, fine_tune_embeddings=True)
    lens = TSLensNetwork(load_checkpoint("tspulse-p16"), config)
    assert sum(parameter.numel() for parameter in lens.parameters()) == 372_257


def test_channel_mixers_start_as_nearly_the_identity():
    network, lens = build(TSLensConfig(4, 2), disturb=False)
    x, observed, _ = draw(3, 4)
    tokens = network.encode(x, observed).tokens
    for layer in lens.network.decoder:
        mixed = layer[0](tokens)
        assert 0 < (mixed - tokens).std() < 0.1 * tokens.std()
        # Half of itself through a gate of one fourth: nothing comes over from other channels.
        alone = layer[0](torch.where(torch.arange(4)[:, None] == 2, tokens, 0 * tokens))
        torch.testing.assert_close(alone[:, :, 2], mixed[:, :, 2])


def test_one_channel_has_no_channel_mixer_and_the_pre_trained_decoder():
    network, lens = build(TSLensConfig(1, 2), disturb=False)
    x, observed, _ = draw(3, 1)
    encoding = network.encode(x, observed)
    decoded = lens.network.decoder(lens.network.encode(x, observed).tokens)
    torch.testing.assert_close(decoded, network.decode(encoding).tokens)


@pytest.mark.parametrize("fine_tune_embeddings", [False, True])
def test_only_decoder_head_and_embeddings_are_trained(fine_tune_embeddings):
    config = TSLensConfig(2, 3, fine_tune_embeddings=fine_tune_embeddings)
    _, lens = build(config, disturb=False)
    lens(*draw(2, 2)).square().sum().backward()
    with_gradient = {name for name, w in lens.named_parameters() if w.grad is not None}
    assert with_gradient == set(lens.trained_weights())
    parts = {".".join(name.split(".")[:3]) for name in with_gradient}
    frozen = {part for part in parts if part.startswith("network.backbone")}
    names = ("time", "frequency") if fine_tune_embeddings else ()
    assert frozen == {f"network.backbone.{name}_embedding" for name in names}


@pytest.mark.parametrize("config", [TSLensConfig(1, 2), TSLensConfig(2, 3, 2, 2, True)])
def test_a_rebuilt_lens_answers_the_same_and_no_random_number_is_drawn(config):
    network, lens = build(config, disturb=False)
    with torch.no_grad():
        for parameter in lens.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter))
    weights = lens.trained_weights()
    state = torch.random.get_rng_state()
    other = TSLensNetwork.from_weights(network, config, weights)
    assert (torch.random.get_rng_state() == state).all()
    inputs = draw(2, config.n_channels)
    torch.testing.assert_close(other(*inputs), lens(*inputs), rtol=0, atol=0)
    assert not any(parameter.is_meta for parameter in other.parameters())
