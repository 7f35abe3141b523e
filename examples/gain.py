#!/usr/bin/env python3
"""Computes what early delivery is worth from the figures of a server, as its dashboard does.

    headstart gain --json | python3 examples/gain.py
    curl http://127.0.0.1:9090/gain.jsonl | python3 examples/gain.py --json

Standard library only. Each step has its source, so that it can be checked, and changed.

A scope is the site, a page, all other pages, an A/A comparison, or a metric that browsers reported. Its views are in strata (outlet, device, new or
returning clients) and in two arms: helped, and held out by lot. A stratum's times are in bins, each with the sum of
the weights of its views; a weight is the inverse of the chance of the draw that put the view into its arm.
"""

import json
import math
import sys

# Effective views of either arm below which a stratum is not compared by itself.
ENOUGH = 12.0
# Standard errors to either side until the evidence is FLAT times that of the first look; see critical_value.
LEVEL = 3.06
FLAT = 30.0


def effective(weight, squares, views, clients):
    """How many equally weighted views of different clients say as much (Kish, "Survey Sampling", 1965)."""
    if squares == 0 or views == 0:
        return 0.0
    return min(weight * weight / squares, views) * (min(clients, views) / views)


class Times:
    """The times of one arm of a stratum: sums of weights by bin."""

    def __init__(self):
        self.bins, self.squares, self.views, self.clients = {}, 0, 0, 0

    def add(self, row):
        for place, weight in row["bins"]:
            self.bins[place] = self.bins.get(place, 0) + weight
        self.squares += row["weight_squares"]
        self.views += row["views"]
        self.clients += row["first_views_of_clients"]

    def merge(self, other):
        for place, weight in other.bins.items():
            self.bins[place] = self.bins.get(place, 0) + weight
        self.squares += other.squares
        self.views += other.views
        self.clients += other.clients

    @property
    def weight(self):
        return sum(self.bins.values())

    @property
    def effective(self):
        return effective(self.weight, self.squares, self.views, self.clients)

    def shares(self):
        whole = max(self.weight, 1)
        return {place: weight / whole for place, weight in sorted(self.bins.items())}


class Bytes:
    """The bytes that the views of one arm of a stratum loaded: sums of weight, weight * bytes, weight * bytes^2."""

    def __init__(self):
        self.weight = self.squares_of_weights = self.views = self.clients = self.sum = self.squares = 0
        self.unit = 1

    def add(self, row):
        row = row["bytes"]
        self.unit = row["unit"]
        self.weight += row["weight"]
        self.squares_of_weights += row["weight_squares"]
        self.views += row["views"]
        self.clients += row["first_views_of_clients"]
        self.sum += int(row["sum"])
        self.squares += int(row["squares"])

    def merge(self, other):
        self.unit = max(self.unit, other.unit)
        for name in ("weight", "squares_of_weights", "views", "clients", "sum", "squares"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def effective(self):
        return effective(self.weight, self.squares_of_weights, self.views, self.clients)

    @property
    def mean(self):
        return self.sum / self.weight * self.unit

    @property
    def variance_of_mean(self):
        if self.weight == 0 or self.effective <= 1:
            return math.inf
        mean_square = self.squares / self.weight * self.unit * self.unit
        return max(mean_square - self.mean**2, 0.0) / (self.effective - 1.0)


class Arms:
    """Both arms of one stratum."""

    def __init__(self):
        self.times = {"helped": Times(), "held_out": Times()}
        self.bytes = {"helped": Bytes(), "held_out": Bytes()}

    def add(self, row):
        self.times[row["arm"]].add(row)
        self.bytes[row["arm"]].add(row)

    def merge(self, other):
        for arm in ("helped", "held_out"):
            self.times[arm].merge(other.times[arm])
            self.bytes[arm].merge(other.bytes[arm])


def critical_value(look):
    """Standard errors to either side, so that the interval covers the truth at all looks together in 95 % of cases.

    A confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, 2021). `look` is the evidence in units of that
    of the first look."""
    return math.sqrt(LEVEL * LEVEL + 2.0 * math.log(max(look / FLAT, 1.0)))


def chosen(strata, kind):
    """Strata that can be compared by themselves, and the rest as one."""

    def enough(arms):
        return all(getattr(arms, kind)[arm].effective >= ENOUGH for arm in ("helped", "held_out"))

    rest = Arms()
    for arms in strata:
        if not enough(arms):
            rest.merge(arms)
    return [arms for arms in strata if enough(arms)] + ([rest] if enough(rest) else [])


def inside(edges, place, share):
    """The point that lies this share of the way, on a logarithmic scale, through a bin."""
    low, high = edges[place], edges[place + 1]
    return high * share if low == 0.0 else low * (high / low) ** min(max(share, 0.0), 1.0)


def quantile(edges, shares, share):
    """The time below which this share lies; None outside of 0 to 1."""
    if not 0.0 <= share <= 1.0:
        return None
    below = 0.0
    for place, part in sorted(shares.items()):
        if below + part >= share and part > 0.0:
            return inside(edges, place, (share - below) / part)
        below += part
    return None


def share_below(edges, times, time):
    below = 0.0
    for place, share in times.shares().items():
        low, high = edges[place], edges[place + 1]
        if time >= high:
            below += share
        elif time > low:
            below += share * (time / high if low == 0.0 else math.log(time / low) / math.log(high / low))
    return min(max(below, 0.0), 1.0)


def bounded(edges, parts, share, critical):
    """A quantile of one arm with its bounds: the image of those of its rank (Woodruff, 1952)."""
    mixture = {}
    for weight, times in parts:
        for place, part in times.shares().items():
            mixture[place] = mixture.get(place, 0.0) + weight * part
    at = quantile(edges, mixture, share)
    if at is None:
        return None
    variance = 0.0
    for weight, times in parts:
        below = share_below(edges, times, at)
        variance += weight * weight * below * (1.0 - below) / max(times.effective, 1.0)
    error = critical * math.sqrt(variance)
    low, high = quantile(edges, mixture, share - error), quantile(edges, mixture, share + error)
    return (low, at, high) if low and high is not None else None


def compare(edges, strata, share, look):
    """The difference of the arms at a quantile, each stratum weighted by its share of the views of both arms."""
    compared = chosen(strata, "times")
    weights = [sum(times.weight for times in arms.times.values()) for arms in compared]
    whole = sum(weights)
    critical = critical_value(look)
    arm = {}
    for name in ("helped", "held_out"):
        parts = [(weight / whole, arms.times[name]) for weight, arms in zip(weights, compared)]
        arm[name] = bounded(edges, parts, share, critical)
        if arm[name] is None:
            return None
    # The bounds of a ratio, on a logarithmic scale (Zou and Donner, 2008).
    (a_low, a, a_high), (b_low, b, b_high) = arm["held_out"], arm["helped"]
    middle = math.log(a / b)
    below = middle - math.hypot(math.log(a / a_low), math.log(b_high / b))
    above = middle + math.hypot(math.log(a_high / a), math.log(b / b_low))
    # Seen four times in five: the effect has to exceed the half-width by .84 standard errors.
    needed = (above - below) / 2.0 * (critical + 0.84) / critical
    return {
        "quantile": share,
        "held_out_seconds": a,
        "helped_seconds": b,
        "share": 1.0 - b / a,
        "low_share": 1.0 - math.exp(-below),
        "high_share": 1.0 - math.exp(-above),
        "until_five_percent": (needed / -math.log(0.95)) ** 2,
    }


def extra_bytes(strata, look):
    """How many bytes more a view with help loads."""
    compared = chosen(strata, "bytes")
    if not compared:
        return None
    weights = [arms.bytes["helped"].weight + arms.bytes["held_out"].weight for arms in compared]
    mean, variance = {"helped": 0.0, "held_out": 0.0}, 0.0
    for weight, arms in zip(weights, compared):
        share = weight / sum(weights)
        for name in mean:
            mean[name] += share * arms.bytes[name].mean
            variance += share * share * arms.bytes[name].variance_of_mean
    error = critical_value(look) * math.sqrt(variance)
    difference = mean["helped"] - mean["held_out"]
    return {"held_out": mean["held_out"], "helped": mean["helped"], "low": difference - error, "high": difference + error}


def figures(lines):
    """What the dashboard shows of each scope."""
    head = json.loads(next(lines))
    if head.get("row") != "figures" or head.get("version") != 1:
        sys.exit("gain.py: this is no output of `headstart gain --json` that it knows")
    edges, scopes = head["bin_edges_seconds"], {}
    for line in lines:
        row = json.loads(line)
        name = (row["scope"], row.get("metric"), row.get("host"), row.get("page"))
        scope = scopes.setdefault(name, {"first_look": None, "views": None, "strata": {}})
        if row["row"] == "scope":
            scope["first_look"], scope["views"] = row["first_look"], row["views"]
        else:
            stratum = (row["outlet"], row["device"], row["returning"], row.get("round_trip"))
            scope["strata"].setdefault(stratum, Arms()).add(row)
    for (kind, metric, host, page), scope in scopes.items():
        strata = list(scope["strata"].values())
        evidence = sum(arms.times["held_out"].effective for arms in strata)
        first = scope["first_look"]
        look = max(evidence / first, 1.0) if first else 1.0
        yield {
            "scope": kind,
            "metric": metric,
            "host": host,
            "page": page,
            "views": scope["views"],
            "at": [compare(edges, strata, share, look) for share in head["quantiles"]] if strata else [],
            "extra_bytes": extra_bytes(strata, look),
        }


def main():
    for scope in figures(line for line in sys.stdin if line.strip()):
        if "--json" in sys.argv[1:]:
            print(json.dumps(scope))
            continue
        name = scope["scope"] if scope["page"] is None else scope["host"] + scope["page"]
        print(name if scope["metric"] is None else f"{name}: {scope['metric']}")
        for arm, views in scope["views"].items():
            print(f"  {arm}: {views['timed']} of {views['shown']} views timed")
        for found in scope["at"]:
            if found is None:
                continue
            base = 1000.0 * found["held_out_seconds"]
            low, saved, high = (base * found[name] for name in ("low_share", "share", "high_share"))
            print(f"  at {100 * found['quantile']:.0f} %: {saved:+.0f} ms sooner, 95 % from {low:+.0f} to {high:+.0f} ms")
        if scope["extra_bytes"]:
            extra = scope["extra_bytes"]
            print(f"  {extra['helped'] - extra['held_out']:+.0f} bytes a view with help")


if __name__ == "__main__":
    main()
