#!/usr/bin/env python3
"""Golden figures of the quant rooms, from libraries that know nothing of ours.

Usage: generate.py [--many N] [FOLDER]
Writes quant-*.json of shape tally-vectors/1 beside the rooms that they attack, or into FOLDER; --many
adds N random cases a kind, for a long run by hand. Series are made here (xoshiro256**, sums of
uniforms), none is a market's. Made with Python 3.11.7, numpy 2.4.6, scipy 1.17.1, pandas 3.1.1,
empyrical-reloaded 0.7.1, arch 8.0.0; another version may differ in last digits, inside the tolerance.
"""
import json
import math
import os
import sys
import warnings

import empyrical as ep
import numpy as np
import pandas as pd
from arch.bootstrap import optimal_block_length
from scipy import stats

warnings.filterwarnings("ignore")
M64 = (1 << 64) - 1
TOLERANCE = {"relative": 1e-9, "absolute": 1e-12}


class Xoshiro:
    """xoshiro256** seeded by splitmix64, from the papers."""

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) & M64
            z = seed
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M64
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M64
            self.s.append(z ^ (z >> 31))

    @staticmethod
    def rotl(x, k):
        return ((x << k) | (x >> (64 - k))) & M64

    def next(self):
        s = self.s
        out = (self.rotl((s[1] * 5) & M64, 7) * 9) & M64
        t = (s[1] << 17) & M64
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = self.rotl(s[3], 45)
        return out

    def unit(self):
        return (self.next() >> 11) * 2.0**-53

    def below(self, n):
        return (self.next() * n) >> 64

    def normal(self):
        return sum(self.unit() for _ in range(12)) - 6.0


def series(rng, n, mean=0.0005, spread=0.012, persistence=0.0, places=8):
    """n returns, each with a share of the one before it."""
    out, last = [], 0.0
    for _ in range(n):
        last = persistence * last + spread * rng.normal()
        out.append(round(max(mean + last, -0.99), places))
    return out


def clean(x):
    x = float(x)
    return x + 0.0 if math.isfinite(x) else None


def is_flat(x):
    """A spread that is rounding and no more: std <= 2^-40 max |x|."""
    return len(x) < 2 or np.std(x, ddof=1) <= 2.0**-40 * np.max(np.abs(x))


# --- quant-returns ---


def drawdown_dates(r):
    e = np.concatenate([[1.0], np.cumprod(1 + r)])
    most = np.maximum.accumulate(e)
    depth = e / most - 1
    if not (depth < 0).any():
        return None, None, None
    trough = int(np.argmin(depth))
    peak = max(s for s in range(trough + 1) if e[s] == most[trough])
    later = [t for t in range(trough + 1, len(e)) if e[t] >= e[peak]]
    return peak, trough, later[0] if later else None


def streak(r):
    best = run = 0
    for x in r:
        run = run + 1 if x > 0 else 0
        best = max(best, run)
    return best


def significance(r, rf):
    n, x = len(r), r - rf
    if n < 4 or is_flat(r):
        return None, None
    sr = np.mean(x) / np.std(x, ddof=1)
    v = 1 - pd.Series(r).skew() * sr + (pd.Series(r).kurt() + 2) / 4 * sr**2
    if v <= 0:
        return None, None
    psr = stats.norm.cdf(sr * math.sqrt(n - 1) / math.sqrt(v))
    return psr, 1 + v * (stats.norm.ppf(0.95) / sr) ** 2 if sr > 0 else None


def block_length(r):
    if len(r) < 11 or is_flat(r):
        return None
    return clean(optimal_block_length(np.asarray(r))["stationary"].iloc[0])


def returns_figures(r, rf_annual, periods):
    r = np.maximum(np.asarray(r, dtype=float), -1.0)
    n = len(r)
    rf = (1 + rf_annual) ** (1 / periods) - 1
    out = {"n": n, "max_win_streak": streak(r)}
    peak, trough, recovery = drawdown_dates(r)
    out |= {"drawdown_peak": peak, "drawdown_trough": trough, "drawdown_recovery": recovery}
    names = ("total_return cagr volatility sharpe downside_deviation sortino max_drawdown calmar omega tail_ratio "
             "var_95 cvar_95 var_99 cvar_99 var_95_normal win_rate profit_factor skew excess_kurtosis psr_0 "
             "min_track_record block_length_stationary").split()
    out |= dict.fromkeys(names)
    if n == 0:
        return out
    s, x = pd.Series(r), r - rf
    flat = is_flat(r)
    out["total_return"] = clean(ep.cum_returns_final(s))
    out["cagr"] = clean(ep.annual_return(s, annualization=periods))
    out["max_drawdown"] = clean(ep.max_drawdown(s))
    out["downside_deviation"] = clean(ep.downside_risk(s, rf, annualization=periods))
    q5, q95 = np.percentile(r, 5), np.percentile(r, 95)
    out["tail_ratio"] = clean(abs(q95) / abs(q5)) if q5 != 0 else None
    for level, cutoff in ((95, 0.05), (99, 0.01)):
        out[f"var_{level}"] = clean(ep.value_at_risk(s, cutoff))
        out[f"cvar_{level}"] = clean(ep.conditional_value_at_risk(s, cutoff))
    if (r != 0).any():
        out["win_rate"] = float((r > 0).sum() / (r != 0).sum())
    if (r < 0).any():
        out["profit_factor"] = clean(r[r > 0].sum() / -r[r < 0].sum())
    if peak is not None:
        out["calmar"] = clean(out["cagr"] / -out["max_drawdown"])
    if n < 2:
        return out
    out["volatility"] = 0.0 if flat else clean(ep.annual_volatility(s, annualization=periods))
    if not flat:
        out["sharpe"] = clean(ep.sharpe_ratio(s, rf, annualization=periods))
        out["var_95_normal"] = clean(stats.norm.ppf(0.05, np.mean(r), np.std(r, ddof=1)))
    if (x < 0).any():
        out["omega"] = clean(x[x > 0].sum() / -x[x < 0].sum())
        out["sortino"] = clean(np.mean(x) * periods / out["downside_deviation"])
    if not flat:
        out["skew"] = clean(s.skew()) if n >= 3 else None
        out["excess_kurtosis"] = clean(s.kurt()) if n >= 4 else None
    out["psr_0"], out["min_track_record"] = (None if v is None else clean(v) for v in significance(r, rf))
    out["block_length_stationary"] = block_length(r)
    return out


def versus_figures(r, b, rf_annual, periods):
    rf = (1 + rf_annual) ** (1 / periods) - 1
    keep = [i for i, v in enumerate(b) if v is not None]
    r = np.array([r[i] for i in keep])
    b = np.array([b[i] for i in keep])
    out = dict.fromkeys("beta alpha alpha_geometric information_ratio pearson spearman".split())
    if len(r) < 2:
        return out
    if np.var(b) > 1e-30:
        sr, sb = pd.Series(r), pd.Series(b)
        out["beta"] = clean(ep.beta_aligned(sr, sb, rf))
        active = np.mean(r - rf - out["beta"] * (b - rf))
        out["alpha"] = clean(active * periods)
        out["alpha_geometric"] = clean((1 + active) ** periods - 1) if 1 + active > 0 else -1.0
    d = r - b
    if np.std(d, ddof=1) > 2.0**-40 * max(np.abs(d).max(), np.abs(r).max(), np.abs(b).max()):
        out["information_ratio"] = clean(np.mean(d) / np.std(d, ddof=1) * math.sqrt(periods))
    if not is_flat(r) and not is_flat(b):
        out["pearson"] = clean(np.clip(np.corrcoef(r, b)[0, 1], -1, 1))
        out["spearman"] = clean(stats.spearmanr(r, b)[0])
    return out


def returns_case(name, r, rf_annual, periods, benchmark=None):
    case = {"id": name, "input": {"returns": r, "rf_annual": rf_annual, "periods_per_year": periods}}
    case["expect"] = returns_figures(r, rf_annual, periods)
    if benchmark is not None:
        case["input"]["benchmark_returns"] = benchmark
        case["expect"] |= versus_figures(r, benchmark, rf_annual, periods)
    case["tolerance"] = TOLERANCE
    return case


def gapped(rng, values, share):
    return [None if rng.unit() < share else v for v in values]


def returns_cases(many):
    rng = Xoshiro(1)
    year = series(rng, 252)
    market = [round(0.6 * a + 0.008 * rng.normal(), 8) for a in year]
    cases = [
        returns_case("a-year", year, 0.05, 252, market),
        returns_case("months", series(rng, 60, 0.008, 0.04, 0.3), 0.03, 12),
        returns_case("crypto", series(rng, 365, 0.001, 0.04, -0.1), 0.0, 365),
        returns_case("benchmark-with-gaps", series(rng, 40), 0.02, 252, gapped(rng, series(rng, 40), 0.3)),
        returns_case("benchmark-is-flat", series(rng, 20), 0.02, 252, [0.001] * 20),
        returns_case("benchmark-is-the-same", year[:30], 0.02, 252, year[:30]),
        returns_case("benchmark-all-gaps", year[:12], 0.0, 252, [None] * 12),
        returns_case("empty", [], 0.05, 252),
        returns_case("one-loss", [-0.03], 0.0, 252),
        returns_case("two-equal", [0.02, 0.02], 0.0, 252),
        returns_case("three", [0.01, -0.02, 0.015], 0.0, 252),
        returns_case("ten", series(rng, 10), 0.0, 252),
        returns_case("eleven", series(rng, 11), 0.0, 252),
        returns_case("twelve-with-trend", series(rng, 12, 0.0, 0.01, 0.9), 0.0, 252),
        returns_case("zeros-above-a-rate", [0.0] * 15, 0.05, 252),
        returns_case("constant-loss", [-0.002] * 12, 0.01, 252),
        returns_case("leveraged-beyond-ruin", [0.1, -1.4, 0.2, 0.1], 0.0, 252),
        returns_case("ruin-on-the-first-day", [-1.0, 0.5, 0.5, -0.1, 0.2], 0.02, 252),
        returns_case("exact-recovery", [0.25, -0.2, 0.25, 0.0, -0.2, 0.25, 0.1], 0.0, 252),
        returns_case("same-depth-twice", [0.25, -0.5, 1.0, -0.5, 0.5], 0.0, 52),
        returns_case("plateau", [0.5, 0.0, 0.0, -0.25, 0.0, -0.25], 0.0, 4),
        returns_case("years", [0.1, -0.05, 0.2, 0.3, -0.15], 0.02, 1),
        returns_case("persistent", series(rng, 500, 0.0, 0.006, 0.6), 0.0, 252),
        returns_case("overflowing-cagr", [25.0], 0.0, 252),
    ]
    for k in range(many):
        n = 1 + rng.below(400 if k % 3 else 30)
        r = series(rng, n, 0.002 * rng.normal(), 0.03 * rng.unit(), 1.6 * rng.unit() - 0.8, 3 + rng.below(6))
        b = gapped(rng, series(rng, n), 0.3 * rng.below(2)) if k % 2 else None
        cases.append(returns_case(f"random-{k}", r, round(0.1 * rng.unit(), 3), [252, 365, 52, 12, 4, 1][rng.below(6)], b))
    return cases


# --- quant-correlation ---


def correlation_case(name, columns, min_overlap):
    frame = pd.DataFrame({k: pd.Series(v, dtype=float) for k, v in columns.items()})
    names = list(columns)
    have = frame.notna().to_numpy().astype(int)
    expect = {"order": names, "overlap": (have.T @ have).tolist()}
    for method in ("pearson", "spearman"):
        rows = []
        for a in names:
            row = []
            for b in names:
                both = frame[[a, b]].dropna().to_numpy() if a != b else frame[[a, a]].dropna().to_numpy()
                x, y = both[:, 0], both[:, 1]
                if len(x) < max(min_overlap, 2) or is_flat(x) or is_flat(y):
                    row.append(None)
                elif method == "pearson":
                    row.append(clean(np.clip(np.corrcoef(x, y)[0, 1], -1, 1)))
                else:
                    row.append(clean(np.clip(stats.spearmanr(x, y)[0], -1, 1)))
            rows.append(row)
        expect[method] = rows
    return {"id": name, "input": {"series": columns, "min_overlap": min_overlap}, "expect": expect,
            "tolerance": {"relative": 1e-9, "absolute": 1e-11}}


def population(rng, count, n, share, places):
    common = [rng.normal() for _ in range(n)]
    columns = {}
    for i in range(count):
        load = 2 * rng.unit() - 1
        values = [round(0.01 * (load * c + rng.normal()), places) for c in common]
        columns[f"m{i}"] = gapped(rng, values, share if i % 2 else 0.0)
    return columns


def correlation_cases(many):
    rng = Xoshiro(2)
    flat = population(rng, 3, 12, 0.0, 6)
    flat["flat"] = [0.25] * 12
    flat["flat-where-shared"] = [0.5 if i % 2 else None for i in range(12)]
    cases = [
        correlation_case("nine-without-gaps", population(rng, 9, 40, 0.0, 8), 30),
        correlation_case("six-with-gaps", population(rng, 6, 60, 0.4, 8), 30),
        correlation_case("ties", population(rng, 5, 20, 0.2, 2), 5),
        correlation_case("flat-sides", flat, 3),
        correlation_case("too-short", population(rng, 2, 29, 0.0, 6), 30),
        correlation_case("copies", {"a": [1, 2, 3, 5], "b": [1, 2, 3, 5], "c": [-2, -4, -6, -10]}, 2),
        correlation_case("one-period", {"a": [1.0], "b": [2.0]}, 1),
    ]
    for k in range(many):
        cases.append(correlation_case(f"random-{k}", population(rng, 2 + rng.below(9), 2 + rng.below(90),
                                                                0.5 * rng.unit() * rng.below(2), 2 + rng.below(6)),
                                      2 + rng.below(20)))
    return cases


# --- quant-bootstrap ---


def stationary_indices(rng, n, mean_block):
    out = [rng.below(n)]
    for _ in range(1, n):
        out.append(rng.below(n) if rng.unit() < 1.0 / mean_block else (out[-1] + 1) % n)
    return out


STATISTICS = {"mean": lambda f, r: float(np.mean(r)), "volatility": lambda f, r: f["volatility"],
              "sharpe": lambda f, r: f["sharpe"], "sortino": lambda f, r: f["sortino"],
              "total_return": lambda f, r: f["total_return"], "cagr": lambda f, r: f["cagr"],
              "max_drawdown": lambda f, r: f["max_drawdown"], "calmar": lambda f, r: f["calmar"]}


def bootstrap_case(name, r, seed, resamples, mean_block, level, rf_annual, periods):
    rng, r = Xoshiro(seed), np.array(r)
    draws = [stationary_indices(rng, len(r), mean_block) for _ in range(resamples)]
    figures = [returns_figures(r[d], rf_annual, periods) for d in draws]
    point = returns_figures(r, rf_annual, periods)
    a = (1 - level) / 2
    result = {}
    for stat, pick in STATISTICS.items():
        values = [pick(f, r[d]) for f, d in zip(figures, draws)]
        values = [v for v in values if v is not None]
        theta, skipped = pick(point, r), resamples - len(values)
        row = {"point": theta, "percentile": None, "basic": None, "standard_error": None, "skipped": skipped}
        if skipped * 20 <= resamples:
            low, high = np.percentile(values, [100 * a, 100 * (1 - a)])
            row["percentile"] = [clean(low), clean(high)]
            row["basic"] = [clean(2 * theta - high), clean(2 * theta - low)] if theta is not None else None
            row["standard_error"] = clean(np.std(values, ddof=1)) if len(values) > 1 else None
        result[stat] = row
    return {"id": name,
            "input": {"returns": r.tolist(), "seed": seed, "resamples": resamples, "mean_block": mean_block,
                      "level": level, "rf_annual": rf_annual, "periods_per_year": periods},
            "expect": {"first_indices": draws[0], "statistics": result},
            "tolerance": {**TOLERANCE, "first_indices": "exact"}}


def bootstrap_cases(many):
    rng = Xoshiro(3)
    cases = [
        bootstrap_case("blocks-of-five", series(rng, 60), 11, 100, 5.0, 0.95, 0.02, 252),
        bootstrap_case("independent", series(rng, 30), (1 << 64) - 1, 80, 1.0, 0.9, 0.0, 252),
        bootstrap_case("one-long-block", series(rng, 20), 1 << 53, 40, 1e6, 0.8, 0.0, 12),
        bootstrap_case("few-losses", [0.01, 0.02, 0.01, -0.005, 0.015, 0.03, 0.01], 5, 60, 2.0, 0.95, 0.0, 252),
        bootstrap_case("constant", [0.001] * 8, 5, 20, 2.0, 0.95, 0.0, 252),
        bootstrap_case("one-return", [0.01], 0, 10, 3.0, 0.95, 0.0, 252),
    ]
    for k in range(many // 10):
        n = 2 + rng.below(60)
        cases.append(bootstrap_case(f"random-{k}", series(rng, n), rng.next(), 20 + rng.below(60),
                                    1 + 10 * rng.unit(), 0.5 + 0.49 * rng.unit(), 0.01, 252))
    return cases


# --- quant-deflated-sharpe ---


def deflated_case(name, sr, n, skew, kurtosis, trials, spread, star, confidence, periods=252):
    v = 1 - skew * sr + (kurtosis - 1) / 4 * sr**2
    if trials == 1:
        z = 0.0
    else:
        g = 0.5772156649015329
        z = (1 - g) * stats.norm.isf(1 / trials) + g * stats.norm.isf(1 / (trials * math.e))

    def psr(against):
        return clean(stats.norm.cdf((sr - against) * math.sqrt(n - 1) / math.sqrt(v))) if v > 0 and n > 1 else None

    track = 1 + v * (stats.norm.ppf(confidence) / (sr - star)) ** 2 if sr > star and v > 0 else None
    annual = sr * math.sqrt(periods)
    return {"id": name,
            "input": {"sharpe_per_period": sr, "observations": n, "skew": skew, "kurtosis": kurtosis,
                      "trials": trials, "trial_sharpe_std": spread, "benchmark_sharpe": star,
                      "periods_per_year": periods, "confidence": confidence},
            "expect": {"psr": psr(star), "expected_max_z": clean(z), "sr_0": clean(spread * z), "dsr": psr(spread * z),
                       "min_track_record": None if track is None else clean(track),
                       "min_backtest_length_years": clean((z / annual) ** 2) if annual != 0 else None},
            "tolerance": {"relative": 1e-10, "absolute": 1e-14}}


def deflated_cases(many):
    rng = Xoshiro(4)
    cases = [
        # Bailey and Lopez de Prado 2014, section "a numerical example": DSR 0.9004
        deflated_case("paper", 2.5 / math.sqrt(250), 1250, -3.0, 10.0, 100, math.sqrt(0.5 / 250), 0.0, 0.95),
        deflated_case("one-trial", 0.1, 252, 0.0, 3.0, 1, 0.5, 0.02, 0.95),
        deflated_case("two-trials", 0.1, 252, 0.0, 3.0, 2, 0.05, 0.0, 0.9),
        deflated_case("four-trials", 0.05, 100, -0.5, 5.0, 4, 0.05, 0.0, 0.99),
        deflated_case("million-trials", 0.2, 2520, 0.2, 4.0, 1000000, 0.03, 0.0, 0.95),
        deflated_case("radicand-not-positive", 1.0, 252, 3.0, 2.0, 10, 0.1, 0.0, 0.95),
        deflated_case("no-edge", 0.0, 252, 0.0, 3.0, 10, 0.03, 0.0, 0.95),
        deflated_case("one-observation", 0.1, 1, 0.0, 3.0, 10, 0.03, 0.0, 0.95),
        deflated_case("below-the-benchmark", 0.02, 500, 0.1, 3.5, 20, 0.02, 0.05, 0.95, 12),
    ]
    for k in range(many):
        cases.append(deflated_case(f"random-{k}", 0.3 * rng.normal() / 3, 2 + rng.below(3000), rng.normal(),
                                   2 + 8 * rng.unit(), 1 + rng.below(5000), 0.1 * rng.unit(),
                                   0.02 * rng.normal(), 0.5 + 0.499 * rng.unit()))
    return cases


# --- quant-portfolio ---


def portfolio_case(name, prices, targets, every, periods, cycle=True):
    p = np.array(prices)
    r = p[:, 1:] / p[:, :-1] - 1
    w, k, days, turnovers, returns = np.array(targets[0]), 0, r.shape[1], [], []
    for t in range(days):
        earned = float(w @ r[:, t])
        returns.append(earned)
        w = w * (1 + r[:, t]) / (1 + earned)
        if (t + 1) % every == 0 and t + 1 < days and (cycle or k + 1 < len(targets)):
            k += 1
            target = np.array(targets[k % len(targets)])
            turnovers.append(float(np.abs(target - w).sum() / 2))
            w = target
    s = pd.Series(returns, dtype=float)
    flat = is_flat(np.array(returns))
    expect = {"returns": returns, "turnovers": turnovers,
              "annualised_turnover": sum(turnovers) * periods / days if days else 0.0,
              "sharpe": None if flat else clean(ep.sharpe_ratio(s, 0.0, annualization=periods)),
              "max_drawdown": clean(ep.max_drawdown(s)) if days else None,
              "volatility": None if days < 2 else (0.0 if flat else clean(ep.annual_volatility(s, annualization=periods))),
              "final_weights": w.tolist()}
    return {"id": name,
            "input": {"prices_by_asset": prices, "target_weights": targets, "rebalance_every_sessions": every,
                      "periods_per_year": periods, "targets_cycle": cycle},
            "expect": expect, "tolerance": {"relative": 1e-10, "absolute": 1e-13}}


def prices_of(rng, assets, n):
    out = []
    for _ in range(assets):
        price, row = 10 + 90 * rng.unit(), []
        for _ in range(n):
            row.append(round(price, 3))
            price = max(price * (1 + 0.015 * rng.normal()), 0.5)
        out.append(row)
    return out


def weights_of(rng, assets):
    raw = [1 + rng.below(9) for _ in range(assets)]
    return [x / sum(raw) for x in raw]


def portfolio_cases(many):
    rng = Xoshiro(5)
    cases = [
        portfolio_case("five-assets", prices_of(rng, 5, 50), [weights_of(rng, 5) for _ in range(3)], 7, 252),
        portfolio_case("thirty-assets", prices_of(rng, 30, 20), [weights_of(rng, 30) for _ in range(2)], 1, 252),
        portfolio_case("cash-is-an-asset", prices_of(rng, 2, 25) + [[1.0] * 25], [[0.4, 0.3, 0.3]], 5, 365),
        portfolio_case("last-day-is-no-rebalance", prices_of(rng, 2, 11), [[0.5, 0.5], [0.9, 0.1]], 5, 252),
        portfolio_case("no-cycle", prices_of(rng, 3, 30), [[0.2, 0.3, 0.5], [0.5, 0.3, 0.2]], 4, 252, False),
        portfolio_case("one-return", prices_of(rng, 2, 2), [[0.5, 0.5]], 1, 252),
        portfolio_case("no-return", prices_of(rng, 2, 1), [[0.5, 0.5]], 1, 252),
        portfolio_case("short-leg", prices_of(rng, 3, 15), [[0.8, 0.5, -0.3]], 4, 252),
    ]
    for k in range(many):
        a = 1 + rng.below(12)
        cases.append(portfolio_case(f"random-{k}", prices_of(rng, a, 1 + rng.below(60)),
                                    [weights_of(rng, a) for _ in range(1 + rng.below(4))], 1 + rng.below(20), 252,
                                    bool(rng.below(2))))
    return cases


# --- quant-anti-gaming ---


def run_probability(n, length, p):
    """The Markov chain over the current run, state by state."""
    if length == 0:
        return 1.0
    state, done = np.zeros(length), 0.0
    state[0] = 1.0
    for _ in range(n):
        done += state[-1] * p
        state = np.concatenate([[state.sum() * (1 - p)], state[:-1] * p])
    return done


def gaming_case(name, r, peers=None, weights=None, churn=None):
    x = np.maximum(np.array(r, dtype=float), -1.0)
    flat = is_flat(x)
    vol = None if len(x) < 2 else 0.0 if flat else float(np.std(x, ddof=1) * math.sqrt(252))
    sharpe = None if flat else float(np.mean(x) / np.std(x, ddof=1) * math.sqrt(252))
    given, expect = {"returns": r}, {}
    expect["variance"] = {"annualised_volatility": vol, "sharpe": sharpe,
                          "flag": (vol or 0) > 1.0 and (sharpe or 0) < 0.5}
    if peers is not None:
        given["peers"] = peers
        best = None
        for key in sorted(peers, key=lambda k: k.encode()):
            both = [(a, b) for a, b in zip(x, peers[key]) if b is not None]
            a, b = (np.array(c) for c in zip(*both)) if both else (np.array([]), np.array([]))
            if len(a) >= 30 and not is_flat(a) and not is_flat(b):
                rho = float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))
                if best is None or rho > best[1] + 1e-13:
                    best = (key, rho, len(a))
        key, rho, overlap = best or (None, None, None)
        expect["correlation"] = {"closest": key, "pearson": rho, "overlap": overlap, "flag": (rho or 0) > 0.70}
    if weights is not None:
        given["weights"] = weights
        hhi = float(np.dot(weights, weights))
        top3 = float(sum(sorted(weights, reverse=True)[:3]))
        expect["concentration"] = {"hhi": hhi, "effective_positions": 1 / hhi if hhi else None, "top3": top3,
                                   "flag": round(top3, 12) >= 0.55 and (vol or 0) > 0.60}
    if churn is not None:
        given["annualised_turnover"] = churn
        expect["churn"] = {"annualised_turnover": churn, "flag": churn > 20,
                           "penalty": min(max((churn - 20) / 40, 0.0), 0.5)}
    longest = streak(x)
    p = float((x > 0).sum() / len(x)) if len(x) else 0.0
    expect["streak"] = {"longest": longest, "flag": longest > 8, "probability": run_probability(len(x), longest, p)}
    return {"id": name, "input": given, "expect": expect, "tolerance": TOLERANCE}


def gaming_cases(many):
    rng = Xoshiro(6)
    own = series(rng, 60)
    wild = series(rng, 60, 0.0, 0.08)
    noisy = [round(v + 0.001 * rng.normal(), 8) for v in own]
    cases = [
        gaming_case("copy-ties-go-to-the-lower-key", own, {"zz": own, "aa": own, "bb": [None] * 31 + own[31:]}),
        gaming_case("noisy-copy", own, {"n": noisy, "other": series(rng, 60)}, [0.2, 0.2, 0.15, 0.25, 0.2], 20.0),
        gaming_case("mirror-never-flags", own, {"mirror": [-v for v in own]}),
        gaming_case("nobody-shares-thirty-days", own, {"late": [None] * 31 + own[31:]}),
        gaming_case("nobody", own, {}),
        gaming_case("flat-peer", own, {"flat": [0.001] * 60}),
        gaming_case("wild-and-concentrated", wild, None, [0.2, 0.2, 0.15] + [0.045] * 10, 60.0),
        gaming_case("wild-and-spread", wild, None, [0.05] * 20, 20.0000001),
        gaming_case("two-positions", wild, None, [0.4, 0.6], 0.0),
        gaming_case("empty", [], {}, [], 0.0),
        gaming_case("one-day", [0.02], None, [1.0], 100.0),
        gaming_case("flat", [0.001] * 12, None, [0.5, 0.5], 40.0),
        gaming_case("all-losses", [-0.01, -0.02, -0.01], None, None, None),
        gaming_case("nine-in-a-row", [0.01] * 9 + [-0.01] * 21, None, None, None),
        gaming_case("eight-in-a-row", [0.01] * 8 + [0.0] + [-0.01] * 21, None, None, None),
        gaming_case("beyond-ruin", [0.5, -1.5, 0.3, -0.7, 0.9], None, [0.9, 0.1], 25.0),
    ]
    for k in range(many):
        n = rng.below(120)
        r = series(rng, n, 0.002 * rng.normal(), 0.1 * rng.unit())
        peers = {f"p{i}": gapped(rng, [round(0.8 * v + 0.05 * rng.unit() * rng.normal(), 8) for v in r], rng.unit())
                 for i in range(rng.below(5))}
        cases.append(gaming_case(f"random-{k}", r, peers, weights_of(rng, 1 + rng.below(20)), round(80 * rng.unit(), 3)))
    return cases


KINDS = {"quant-returns": ("metrics", returns_cases), "quant-deflated-sharpe": ("metrics", deflated_cases),
         "quant-correlation": ("corr", correlation_cases), "quant-bootstrap": ("boot", bootstrap_cases),
         "quant-portfolio": ("account", portfolio_cases), "quant-anti-gaming": ("detect", gaming_cases)}


def main():
    arguments = sys.argv[1:]
    many = int(arguments[arguments.index("--many") + 1]) if "--many" in arguments else 0
    folders = [a for i, a in enumerate(arguments) if a != "--many" and (i == 0 or arguments[i - 1] != "--many")]
    quant = os.path.dirname(os.path.abspath(__file__)) + "/../../.."
    for kind, (room, make) in KINDS.items():
        path = f"{folders[0]}/{kind}.json" if folders else f"{quant}/{room}/test/golden/{kind}.json"
        cases = make(many)
        with open(path, "w", encoding="utf-8") as f:
            head = {"schema": "tally-vectors/1", "kind": kind, "generator": "src/core/quant/metrics/test/golden/generate.py"}
            f.write(json.dumps(head)[:-1] + ', "cases": [\n')
            f.write(",\n".join(json.dumps(c) for c in cases))
            f.write("\n]}\n")
        print(f"{kind}: {len(cases)} cases")


main()
