"""The words and plots of judges' reports: what a lab reads, from the figures that are stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from marketplace.quality.models import JudgeReport
from marketplace.quality.rules.judges.answers import AnswerOutcome
from marketplace.quality.rules.judges.standing import Standing
from marketplace.web import plots

Finding = Mapping[str, Any]
STANDINGS: Mapping[str, tuple[str, str, str]] = {
    Standing.YES: ("good", "circle-check", "may stand alone"),
    Standing.NO: ("stop", "octagon-alert", "experts needed"),
    Standing.UNKNOWN: ("watch", "circle-question-mark", "not known yet"),
}
ANSWER_FORMATS = [
    ("json_schema", "JSON by schema (the strictest)"),
    ("json_object", "JSON object"),
    ("text", "only in the prompt, for servers that know neither"),
]
FAILURES: Mapping[AnswerOutcome, str] = {
    AnswerOutcome.ANSWERED: "answered",
    AnswerOutcome.REFUSED: "refused",
    AnswerOutcome.MALFORMED: "not readable",
    AnswerOutcome.FAILED: "no answer came",
}
COLUMNS = (
    "dimension", "slice", "level", "items", "people", "judge_expert", "judge_expert_lower",
    "judge_expert_upper", "expert_expert", "expert_expert_lower", "expert_expert_upper",
    "difference", "difference_lower", "difference_upper", "judge_agreement_ratio",
    "expert_agreement_ratio", "standing", "probability", "margin", "more_items", "bias",
    "bias_lower", "bias_upper", "order_flips", "position_bias", "length_bias",
    "calibration_error",
)  # fmt: skip


def number(value: float | None) -> str:
    """A figure with two decimals, a dash for none."""
    return "\u2013" if value is None else f"{value:.2f}".replace("-", "\u2212")


def interval(figure: Mapping[str, Any]) -> str:
    """`0.41 to 0.63`; a dash where there is none."""
    if figure["lower"] is None:
        return "\u2013"
    return f"{number(figure['lower'])} to {number(figure['upper'])}"


def rule_words(found: Finding) -> str:
    """The routing rule of one row, with how sure it is."""
    rule = found["rule"]
    chance = rule["probability"]
    if chance is None and rule["more_items"] is None:
        return "The verdicts differ too little here for anything to be told."
    if chance is None:
        return f"Too few items: {rule['more_items']:,} more would be a start."
    sure = "nearly all" if chance > 0.999 else "hardly any" if chance < 0.001 else f"{chance:.1%}"
    if rule["standing"] == Standing.YES:
        return f"The judge may stand alone here (within the margin in {sure} of draws)."
    if rule["standing"] == Standing.NO:
        return f"Let experts judge here (within the margin in {sure} of draws)."
    more = rule["more_items"]
    if rule["vague"] and (more is None or chance >= 0.5):
        return "Experts hardly agree with each other here: say first what the dimension means."
    if more is None:
        return (
            f"Not known yet (in {sure} of draws); a panel of any sensible size may not settle it."
        )
    return f"Not known yet (in {sure} of draws); about {more:,} more items would settle it."


def summary(report: JudgeReport) -> str:
    """The report in one sentence: where the judge may stand alone, where not."""
    whole = [each for each in report.findings if each["slice"] == ""]
    parts = []
    for standing, words in (
        (Standing.YES, "may stand alone on {}"),
        (Standing.NO, "should leave {} to experts"),
        (Standing.UNKNOWN, "is not settled on {}"),
    ):
        named = [title(report, e) for e in whole if e["rule"]["standing"] == standing]
        if named:
            parts.append(words.format(", ".join(named)))
    return "This judge " + "; it ".join(parts) + "." if parts else ""


def title(report: JudgeReport, found: Finding) -> str:
    """The dimension as the lab calls it."""
    return str(report.facts["titles"].get(found["dimension"], found["dimension"]))


def agreement_plot(report: JudgeReport) -> Markup:
    """Judge-expert agreement of every dimension under its ceiling."""
    rows = []
    for each in report.findings:
        if each["slice"] != "" or each["judge"]["value"] is None:
            continue
        judge, experts = each["judge"], each["experts"]["value"]
        rows.append(
            plots.Ceiling(
                title(report, each),
                judge["value"],
                judge["lower"],
                judge["upper"],
                experts,
            )
        )
    return plots.ceilings(
        "Agreement with experts, and the experts' own", rows, words=number, low=-0.2
    )


def reliability_plots(report: JudgeReport) -> Iterator[Markup]:
    """The calibration curve of the judge's confidence, for each dimension that has one."""
    for each in report.findings:
        bins = each["calibration"]["bins"]
        if each["slice"] == "" and bins:
            points = [
                plots.Share(b["confidence"], b["right"], b["lower"], b["upper"], b["n"])
                for b in bins
            ]
            yield plots.reliability(f"Confidence: {title(report, each)}", points)


def csv_rows(findings: Sequence[Finding]) -> Iterator[list[Any]]:
    """The findings as rows of `COLUMNS`."""
    for each in findings:
        judge, experts, apart, rule = (
            each["judge"], each["experts"], each["difference"], each["rule"],
        )  # fmt: skip
        yield [
            each["dimension"], each["slice"], each["level"], each["items"], each["people"],
            *_three(judge), *_three(experts), *_three(apart),
            each["judge_ratio"]["value"], each["expert_ratio"]["value"],
            rule["standing"], rule["probability"], rule["margin"], rule["more_items"],
            *_three(each["bias"]), each["flips"]["value"], each["position"]["value"],
            each["length"]["excess"]["value"], each["calibration"]["error"],
        ]  # fmt: skip


def _three(figure: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return figure["value"], figure["lower"], figure["upper"]
