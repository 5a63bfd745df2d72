"""Slow, obvious twins of what the package computes fast: loops over single numbers.

Each section stands for one module and knows nothing of how it is written.
"""

from __future__ import annotations

import cmath
import math
from fractions import Fraction

import numpy as np

# --- The network: one window, one number at a time. -----------------------------------------


def linear(weights, name, vector):
    """Multiply by a matrix and add a bias."""
    matrix, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return [
        sum(matrix[i][j] * vector[j] for j in range(len(vector))) + bias[i]
        for i in range(len(bias))
    ]


def gelu(value):
    return value * 0.5 * (1 + math.erf(value / math.sqrt(2)))


def perceptron(weights, name, vector):
    hidden = [gelu(value) for value in linear(weights, f"{name}.fc1", vector)]
    return linear(weights, f"{name}.fc2", hidden)


def softmax(vector):
    powers = [math.exp(value) for value in vector]
    return [power / sum(powers) for power in powers]


def gate(weights, name, vector, activation):
    logits = linear(weights, f"{name}.linear", vector)
    if activation == "softmax":
        factors = softmax(logits)
    else:
        factors = [1 / (1 + math.exp(-logit)) for logit in logits]
    return [value * factor for value, factor in zip(vector, factors, strict=True)]


def layer_norm(weights, name, vector):
    mean = sum(vector) / len(vector)
    variance = sum((value - mean) ** 2 for value in vector) / len(vector)
    return [
        (value - mean) / math.sqrt(variance + 1e-5) * weight + bias
        for value, weight, bias in zip(
            vector, weights[f"{name}.weight"], weights[f"{name}.bias"], strict=True
        )
    ]


def statistics(values, observed, floor):
    """Mean and deviation of what is observed."""
    known = [value for value, seen in zip(values, observed, strict=True) if seen]
    mean = sum(known) / max(len(known), 1)
    variance = sum((value - mean) ** 2 for value in known) / max(len(known), 1)
    return mean, math.sqrt(max(variance, floor))


def fourier(values):
    """Coefficients of a real series up to the Nyquist frequency, by their definition."""
    n = len(values)
    turn = -2j * math.pi / n
    return [
        sum(value * cmath.exp(turn * k * t) for t, value in enumerate(values))
        for k in range(n // 2 + 1)
    ]


def inverse_fourier(coefficients):
    n = 2 * (len(coefficients) - 1)
    series = []
    for t in range(n):
        value = coefficients[0].real + coefficients[-1].real * math.cos(math.pi * t)
        for k in range(1, n // 2):
            value += 2 * (coefficients[k] * cmath.exp(2j * math.pi * k * t / n)).real
        series.append(value / n)
    return series


def spectrum(values, floor):
    """Scaled real parts, then scaled imaginary parts; the two peaks; the Nyquist coefficient."""
    coefficients = fourier(values)
    peaks = [max(abs(part(c)) for c in coefficients[:-1]) + floor for part in (np.real, np.imag)]
    real = [c.real / peaks[0] for c in coefficients[:-1]]
    imaginary = [c.imag / peaks[1] for c in coefficients[:-1]]
    return real + imaginary, peaks, coefficients[-1]


def signature(values, n_bins, scale):
    magnitudes = [abs(c) for c in fourier(values)][1 : n_bins + 1]
    return softmax([math.log(1 + m) if scale == "log" else m for m in magnitudes])


def lines(tokens, axis):
    """Yield index and entries of every line along one axis of ``tokens[channel][token]``."""
    shape = tokens.shape
    for index in np.ndindex(*(1 if i == axis else n for i, n in enumerate(shape))):
        where = tuple(slice(None) if i == axis else k for i, k in enumerate(index))
        yield where, list(tokens[where])


def mix(weights, name, tokens, axis, activation):
    """Normalise, mix along channels (0), tokens (1) or features (2), add."""
    normed = tokens.copy()
    for where, vector in lines(tokens, 2):
        normed[where] = layer_norm(weights, f"{name}.norm", vector)
    mixed = tokens.copy()
    for where, vector in lines(normed, axis):
        if axis == 0:
            mixture = gate(weights, f"{name}.gate", vector, activation)
            mixture = perceptron(weights, f"{name}.mlp", mixture)
        else:
            mixture = perceptron(weights, f"{name}.mlp", vector)
            mixture = gate(weights, f"{name}.gate", mixture, activation)
        mixed[where] += mixture
    return mixed


def mix_layers(weights, name, n_layers, tokens, activation, mixes_channels):
    axes = (0, 1, 2) if mixes_channels else (1, 2)
    for layer in range(n_layers):
        for part, axis in enumerate(axes):
            tokens = mix(weights, f"{name}.{layer}.{part}", tokens, axis, activation)
    return tokens


def patch_tokens(weights, name, values, patch_length):
    starts = range(0, len(values), patch_length)
    return [linear(weights, f"{name}.linear", values[i : i + patch_length]) for i in starts]


def register_head(weights, name, config, registers):
    arguments = (config.n_register_layers, registers, config.decoder_gate, config.n_channels > 1)
    answers = []
    for tokens in mix_layers(weights, f"{name}.layers", *arguments):
        vector = layer_norm(weights, f"{name}.norm", [v for token in tokens for v in token])
        if config.n_register_layers:
            answers.append(linear(weights, f"{name}.linear", vector))
        else:
            answers.append(perceptron(weights, f"{name}.linear", vector))
    return answers


def network(weights, config, x, observed):
    """Run a whole TSPulse on one window ``x[channel][time]``; give every head's answer."""
    token, scale, bias = (
        weights[name] for name in ("mask_token.values", "revin.weight", "revin.bias")
    )
    embedded, statistics_, spectra = [], [], []
    for values, seen in zip(x, observed, strict=True):
        mean, deviation = statistics(values, seen, config.variance_floor)
        z = []
        for t, value in enumerate(values):
            filled = (value - mean) / deviation if seen[t] else token[t % config.patch_length]
            z.append(filled * scale + bias)
        tokens = patch_tokens(weights, "backbone.time_embedding", z, config.patch_length)
        spectra.append(spectrum(z, config.variance_floor))
        tokens += patch_tokens(
            weights, "backbone.frequency_embedding", spectra[-1][0], config.patch_length
        )
        tokens += [list(register) for register in weights["backbone.registers"]]
        flat = layer_norm(weights, "backbone.norm", [v for token_ in tokens for v in token_])
        embedded.append(np.reshape(flat, (len(tokens), config.d_model)))
        statistics_.append((mean, deviation))
    tokens = np.array(embedded * config.channel_expansion)
    tokens = mix_layers(weights, "backbone.layers", config.n_layers, tokens, config.gate, False)
    answers = {"backbone": tokens}
    width = config.n_channels * config.channel_expansion
    decoder = (weights, "decoder", config.n_decoder_layers, tokens, config.decoder_gate, width > 1)
    tokens = answers["decoder"] = mix_layers(*decoder)[: len(x)]
    return answers | network_heads(weights, config, tokens, statistics_, spectra)


def network_heads(weights, config, tokens, statistics_, spectra):
    def in_units(values, channel):
        mean, deviation = statistics_[channel]
        bias, scale = weights["revin.bias"], weights["revin.weight"]
        return [(value - bias) / scale * deviation + mean for value in values]

    n, heads = config.n_patches, {"time": [], "spectrum": [], "frequency": []}
    registers = tokens[:, 2 * n :]
    for channel, (_, peaks, nyquist) in enumerate(spectra):
        patches = [linear(weights, "time_head.linear", t) for t in tokens[channel, :n]]
        heads["time"].append(in_units([v for patch in patches for v in patch], channel))
        patches = [linear(weights, "frequency_head.linear", t) for t in tokens[channel, n : 2 * n]]
        values = [v for patch in patches for v in patch]
        half = len(values) // 2
        coefficients = [
            complex(values[k] * peaks[0], values[half + k] * peaks[1]) for k in range(half)
        ]
        heads["spectrum"].append(values)
        heads["frequency"].append(in_units(inverse_fourier([*coefficients, nyquist]), channel))
    signatures = register_head(weights, "signature_head", config, registers)
    forecasts = register_head(weights, "forecast_head", config, registers)
    heads["signature"] = [softmax(logits) for logits in signatures]
    heads["forecast"] = [in_units(values, channel) for channel, values in enumerate(forecasts)]
    return heads


# --- Masks: one series at a time, from scores that were drawn before. ------------------------


def hide(scores, n_hidden):
    """Hide the places of the lowest scores; True where observed."""
    order = sorted(range(len(scores)), key=lambda place: scores[place])
    return [place not in order[:n_hidden] for place in range(len(scores))]


def hybrid_mask(patch_scores, point_scores, ratio, patch_length, block_share):
    """Hide whole patches first, then single points elsewhere, until enough are hidden."""
    n_hidden = int(ratio * len(point_scores))
    patches = hide(patch_scores, int(n_hidden * block_share / patch_length))
    observed = [patches[place // patch_length] for place in range(len(point_scores))]
    left = sorted((s, place) for place, s in enumerate(point_scores) if observed[place])
    for _, place in left[: n_hidden - observed.count(False)]:
        observed[place] = False
    return observed


# --- Corpora: one series at a time. ----------------------------------------------------------


def chances(lengths, sources):
    """A source weighs as the root of its points; within it a series weighs as its points."""
    points = {
        source: sum(n for n, s in zip(lengths, sources, strict=True) if s == source)
        for source in sources
    }
    weights = [math.sqrt(points[s]) * n / points[s] for n, s in zip(lengths, sources, strict=True)]
    return [weight / sum(weights) for weight in weights]


def possible_windows(series, length):
    """Yield every window that may be cut from a series, at every resolution that fits."""
    for factor in (1, 2, 4, 8):
        for start in range(len(series) - length * factor + 1):
            piece = series[start : start + length * factor]
            yield piece[::factor]
            if factor > 1:
                groups = [piece[i * factor : (i + 1) * factor] for i in range(length)]
                yield [sum(group) / factor for group in groups]


# --- Windows: series of any length to windows of one length, and back. ------------------------


def resample(values, length):
    """Interpolate between the two nearest old points; next to a gap, take the nearer one."""
    last = len(values) - 1
    new = []
    for i in range(length):
        place = Fraction(i * last, max(length - 1, 1))
        before = math.floor(place)
        after, share = min(before + 1, last), place - before
        if share == 0:
            new.append(values[before])
        elif math.isnan(values[before]) or math.isnan(values[after]):
            new.append(values[before] if share <= Fraction(1, 2) else values[after])
        else:
            new.append(values[before] * float(1 - share) + values[after] * float(share))
    return new


def downsample(values, length):
    """Average the known values of equal blocks; one at a border counts with its share."""
    if len(values) <= length:
        return values
    width, new = Fraction(len(values), length), []
    for block in range(length):
        total, weights = 0.0, 0.0
        for place, value in enumerate(values):
            share = min(place + 1, (block + 1) * width) - max(place, block * width)
            if share > 0 and not math.isnan(value):
                total += float(share) * value
                weights += float(share)
        new.append(total / weights if weights else math.nan)
    return new


def standardize(values):
    """Give the known values mean 0 and variance 1, or only mean 0 if they are all equal."""
    known = [value for value in values if not math.isnan(value)]
    mean = math.fsum(known) / len(known) if known else 0.0
    variance = math.fsum((value - mean) ** 2 for value in known) / len(known) if known else 0.0
    equal = len(set(known)) < 2
    return [
        value if math.isnan(value) else 0.0 if equal else (value - mean) / math.sqrt(variance)
        for value in values
    ]


def stitch(n_timepoints, starts, windows, weights):
    """Average one channel's windows where they overlap; NaN where nothing lies."""
    averages = []
    for time in range(n_timepoints):
        total = weight_sum = 0.0
        for start, window, weight in zip(starts, windows, weights, strict=True):
            if start <= time < start + len(window):
                total += window[time - start] * weight[time - start]
                weight_sum += weight[time - start]
        averages.append(total / weight_sum if weight_sum else math.nan)
    return averages


def triangle(length):
    """Return weights that grow by equal steps from both ends to 1 in the middle."""
    peak = (length + 1) // 2
    return [min(i + 1, length - i) / peak for i in range(length)]


# --- Filling gaps: one missing point at a time. ----------------------------------------------


def sides(known, t):
    """Return the known places before and after ``t``, each from the nearest outwards."""
    before = [place for place in range(t, -1, -1) if known[place]]
    after = [place for place in range(t, len(known)) if known[place]]
    return before, after


def fill_linear(values, known, t):
    before, after = sides(known, t)
    if not before or not after:
        return values[(before or after)[0]]
    left, right = before[0], after[0]
    share = (t - left) / (right - left) if right > left else 0
    return values[left] + share * (values[right] - values[left])


def parabola_slope(places, values, at):
    """Slope at ``at`` of the parabola through three points, by Lagrange's formula."""
    slope = 0
    for i in range(3):
        j, k = (n for n in range(3) if n != i)
        width = (places[i] - places[j]) * (places[i] - places[k])
        slope += values[i] * (2 * at - places[j] - places[k]) / width
    return slope


def end_slope(values, places, at):
    """Slope at a known point, from three known points or, where there are only two, from these."""
    if len(places) == 3:
        return parabola_slope(places, [values[p] for p in places], at)
    return (values[places[1]] - values[places[0]]) / (places[1] - places[0])


def fill_cubic(values, known, t):
    """Hermite's cubic through the known point on either side."""
    before, after = sides(known, t)
    if not before or not after or known[t]:
        return fill_linear(values, known, t)
    left, right = before[0], after[0]
    width = right - left
    start = end_slope(values, sorted({*before[:2], right}), left)
    end = end_slope(values, sorted({left, *after[:2]}), right)
    u = (t - left) / width
    return (
        (2 * u**3 - 3 * u**2 + 1) * values[left]
        + (u**3 - 2 * u**2 + u) * width * start
        + (3 * u**2 - 2 * u**3) * values[right]
        + (u**3 - u**2) * width * end
    )


def stitch_reconstructions(infer, series, context, patch, stride):
    """Fill the missing points of one series from windows that are read one by one."""
    series = [math.nan] * max(0, context - len(series)) + list(series)
    last = len(series) - context
    sums = [[0.0, 0.0, 0.0] for _ in series]
    for start in sorted({*range(0, last, stride), last}):
        window = np.array(series[start : start + context], dtype=np.float32)
        n_known = sum(not math.isnan(value) for value in window)
        if n_known == context or n_known < patch:
            continue
        time, frequency = infer(window[None])[0]
        for place in range(context):
            weight = min(place + 1, context - place) / (context / 2)
            cell = sums[start + place]
            cell[0] += weight * float(time[place])
            cell[1] += weight * float(frequency[place])
            cell[2] += weight
    return [(a / w, b / w) if w else (math.nan, math.nan) for a, b, w in sums]


def levels(values, period, coverage):
    """The mean near each point, over a window that usually holds half a period of values."""

    length, width = len(values), period
    while True:
        near = [
            [
                v
                for v in values[max(at - width // 2, 0) : at - width // 2 + width]
                if not np.isnan(v)
            ]
            for at in range(length)
        ]
        counts = sorted(len(one) for one in near if one)
        usual = counts[(len(counts) - 1) // 2] if counts else 0
        if 2 * usual >= period:
            break
        width *= 2
        if width > 2 * length:
            return [np.nan] * length
    firm = [at for at in range(length) if len(near[at]) >= coverage * usual]
    return np.interp(range(length), firm, [sum(near[at]) / len(near[at]) for at in firm])


def seasonal(values, t, period, n_nearest):
    """The mean of the same phase in near periods, each about its level, and the level here."""

    around = [v - level for v, level in zip(values, levels(values, period, 0.9), strict=True)]
    profile = [[v for v in around[phase::period] if not np.isnan(v)] for phase in range(period)]
    profile = [sum(one) / max(len(one), 1) for one in profile]
    rest = [v - profile[at % period] for at, v in enumerate(values)]
    level = levels(rest, period, 0.5)
    total = weight = 0.0
    for k in range(1, len(values) // period + 1):
        if k > n_nearest and weight:
            break
        for place in (t - k * period, t + k * period):
            if 0 <= place < len(values) and not np.isnan(values[place]):
                total += (values[place] - level[place]) / k
                weight += 1 / k
    return total / weight + level[t] if weight else np.nan
