"""Quality in words: names of units and measures, what labels are frequent, what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.jobs.models import Job
from marketplace.quality.queries import JobQuality, UnitAgreement
from marketplace.web.filters import count, percent

# With fewer items agreement moves by chance more than by anything else.
ITEMS_FEW = 10
WIDE = 0.3
SKEWED = 0.9
LABELS_NAMED = 3
UNITS_WARNED = 4
MEASURES: Mapping[str, tuple[str, str]] = {
    "alpha": ("Krippendorff\u2019s alpha", "beyond chance, by the scale of the question"),
    "observed": ("Same answer", "the plain share of pairs that agree, chance included"),
    "ac1": ("Gwet\u2019s AC1", "beyond chance, steady where one label is nearly always right"),
    "fleiss": ("Fleiss\u2019 kappa", "beyond chance, all labels alike"),
    "kappa": ("Cohen\u2019s kappa", "beyond chance, where just two people judged"),
}


def unit_words(unit: str) -> str:
    """`aspects.clinical_safety` as people say it; `aspects.*` is all of them together."""
    if unit.endswith(".*"):
        return f"All {unit.removesuffix('.*').rpartition('.')[2].replace('_', ' ')}"
    return unit.rpartition(".")[2].replace("_", " ").replace("|", " or ").capitalize()


def stands_on(unit: UnitAgreement) -> str:
    """What an agreement rests on."""
    return f"{count(unit.items, 'item')}, {count(unit.labels, 'label')}"


def frequent(prevalence: Mapping[str, float]) -> str:
    """Which labels were given how often, the most frequent first."""
    ranked = sorted(prevalence.items(), key=lambda each: (-each[1], each[0]))
    named = [f"{label} {percent(share, 0)}" for label, share in ranked[:LABELS_NAMED]]
    rest = len(ranked) - LABELS_NAMED
    return ", ".join(named) + (f", {count(rest, 'other')}" if rest > 0 else "")


def warnings(known: JobQuality, job: Job) -> list[str]:
    """What the figures cannot tell, and what would help; one sentence each."""
    told: list[str] = []
    if job.overlap_max < 2 and not job.confidence_target:
        told.append(
            "Each item of this job gets one judgement, so people cannot be compared on the same "
            "items. Reviews and gold tell how good answers are; a next job may ask for two."
        )
    told += _thin(known)
    wide = [unit for unit in known.units if unit.items >= ITEMS_FEW and _spread(unit) > WIDE]
    told += [
        f"Alpha of “{unit_words(unit.unit)}” may be anything from {unit.lower:.2f} to "
        f"{unit.upper:.2f}. More items with two answers narrow that."
        for unit in wide[:UNITS_WARNED]
    ]
    return told + _skewed(known)


def _thin(known: JobQuality) -> list[str]:
    """Questions whose agreement rests on too few items, those with as many in one sentence."""
    alike: dict[int, list[str]] = {}
    for unit in known.units:
        if unit.items < ITEMS_FEW:
            alike.setdefault(unit.items, []).append(unit_words(unit.unit))
    return [
        f"Agreement on {_listed(names)} cannot be told yet: "
        + (count(items, "item has", "items have") if items else "no item has")
        + f" two answers. From {ITEMS_FEW} on it can."
        for items, names in sorted(alike.items())[:UNITS_WARNED]
    ]


def _listed(names: list[str]) -> str:
    """Names in quotation marks, the first few of them."""
    quoted = [f"“{name}”" for name in names[:LABELS_NAMED]]
    rest = len(names) - len(quoted)
    if rest:
        return f"{', '.join(quoted)} and {count(rest, 'other')}"
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _spread(unit: UnitAgreement) -> float:
    return 0.0 if unit.lower is None or unit.upper is None else unit.upper - unit.lower


def _skewed(known: JobQuality) -> list[str]:
    found = []
    for unit in known.units:
        label, share = max(unit.prevalence.items(), key=lambda each: each[1], default=("", 0.0))
        if share >= SKEWED and unit.items >= ITEMS_FEW:
            found.append(
                f"Nearly all answers to “{unit_words(unit.unit)}” are “{label}” "
                f"({percent(share, 0)}). Alpha and kappa are low there even where people agree; "
                "AC1 is fairer."
            )
    return found[:UNITS_WARNED]
