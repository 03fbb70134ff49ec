"""How good judgements are: agreement, gold, integrity, rules, models and pipelines."""

from __future__ import annotations

from typing import Any, Unpack

from marketplace.client.engine import One, to, to_nothing
from marketplace.client.operations import M, Resource, operation, pages
from marketplace.client.records import AnyId
from marketplace.client.shapes import models
from marketplace.client.shapes import quality as shapes
from marketplace.client.shapes import quality_control as controlled


class QualityOfJobs(Resource[M]):
    """`client.quality`: what is measured of a job."""

    @operation("GET /jobs/{job_id}/quality")
    def of(self, job_id: AnyId) -> One[shapes.Quality]:
        """Agreement, authors, and what confidence cost."""
        return to(shapes.Quality)

    @operation("GET /jobs/{job_id}/confidence")
    def confidence(self, job_id: AnyId) -> One[shapes.Shape]:
        """How confident labels are, and how often that is right."""
        return to(shapes.Shape)

    @pages("GET /jobs/{job_id}/disagreements")
    def disagreements(self, job_id: AnyId, /, **query: Any) -> One[shapes.Disagreement]:
        """Where judgements differ; query: unit, first, second, field, value."""
        return to(shapes.Disagreement, query=query)

    @pages("GET /jobs/{job_id}/labels")
    def labels(self, job_id: AnyId) -> One[shapes.BelievedLabel]:
        """What is believed of each item, and how surely."""
        return to(shapes.BelievedLabel)

    @operation("GET /jobs/{job_id}/integrity")
    def integrity(self, job_id: AnyId) -> One[controlled.Pieces]:
        """Signs that speak against the honesty of work."""
        return to(controlled.Pieces)


class Gold(Resource[M]):
    """`client.gold`: items whose answer is known."""

    @pages("GET /jobs/{job_id}/gold")
    def list(self, job_id: AnyId) -> One[controlled.Gold]:
        """All of a job."""
        return to(controlled.Gold)

    @operation("POST /items/{item_id}/gold")
    def change(
        self, item_id: AnyId, **asked: Unpack[controlled.GoldChange]
    ) -> One[controlled.Gold]:
        """Give another answer, or none, and say why."""
        return to(controlled.Gold, json=asked)

    @pages("GET /jobs/{job_id}/gold/disputes")
    def disputes(self, job_id: AnyId) -> One[controlled.Dispute]:
        """What specialists say against known answers."""
        return to(controlled.Dispute)

    @operation("POST /gold/disputes/{dispute_id}/decision")
    def decide(
        self, dispute_id: AnyId, **asked: Unpack[controlled.DisputeDecision]
    ) -> One[controlled.Dispute]:
        """Say who is right."""
        return to(controlled.Dispute, json=asked)


class QualityRules(Resource[M]):
    """`client.quality_rules`: what is done of itself when figures go wrong."""

    @pages("GET /quality/rules")
    def list(self) -> One[controlled.Rule]:
        """All rules."""
        return to(controlled.Rule)

    @pages("GET /quality/rules/ready")
    def ready(self) -> One[controlled.Ready]:
        """Rules to begin with."""
        return to(controlled.Ready)

    @operation("POST /quality/rules")
    def create(self, **asked: Unpack[controlled.NewRule]) -> One[controlled.Rule]:
        """Make one; it is off until `on`."""
        return to(controlled.Rule, json=asked)

    @operation("PUT /quality/rules/{rule_id}")
    def change(
        self, rule_id: AnyId, **asked: Unpack[controlled.RuleFields]
    ) -> One[controlled.Rule]:
        """Put another in its place."""
        return to(controlled.Rule, json=asked)

    @operation("POST /quality/rules/{rule_id}/on")
    def on(self, rule_id: AnyId) -> One[controlled.Rule]:
        """Let it act."""
        return to(controlled.Rule)

    @operation("POST /quality/rules/{rule_id}/off")
    def off(self, rule_id: AnyId) -> One[controlled.Rule]:
        """Let it act no more."""
        return to(controlled.Rule)

    @operation("POST /quality/rules/{rule_id}/replay")
    def replay(self, rule_id: AnyId) -> One[controlled.Replay]:
        """Find out what it would have done."""
        return to(controlled.Replay)

    @operation("GET /quality/rules/{rule_id}/replay")
    def replayed(self, rule_id: AnyId) -> One[controlled.Replay]:
        """What it would have done."""
        return to(controlled.Replay)

    @pages("GET /quality/firings")
    def firings(self) -> One[controlled.Firing]:
        """What rules found."""
        return to(controlled.Firing)

    @operation("POST /quality/firings/{firing_id}/decision")
    def decide(
        self, firing_id: AnyId, **asked: Unpack[controlled.FiringDecision]
    ) -> One[controlled.Firing]:
        """Say whether it stands."""
        return to(controlled.Firing, json=asked)


class ModelEndpoints(Resource[M]):
    """`client.model_endpoints`: where models of yours answer."""

    @operation("POST /model-endpoints")
    def create(self, **asked: Unpack[models.NewEndpoint]) -> One[models.Endpoint]:
        """Set one up; its key is never shown again."""
        return to(models.Endpoint, json=asked)

    @pages("GET /model-endpoints")
    def list(self) -> One[models.Endpoint]:
        """All that are not retired."""
        return to(models.Endpoint)

    @operation("GET /model-endpoints/{endpoint_id}")
    def get(self, endpoint_id: AnyId) -> One[models.Endpoint]:
        """One."""
        return to(models.Endpoint)

    @operation("PATCH /model-endpoints/{endpoint_id}")
    def update(
        self, endpoint_id: AnyId, **asked: Unpack[models.EndpointChange]
    ) -> One[models.Endpoint]:
        """Change what is given."""
        return to(models.Endpoint, json=asked)

    @operation("DELETE /model-endpoints/{endpoint_id}")
    def delete(self, endpoint_id: AnyId) -> One[None]:
        """Retire it."""
        return to_nothing()

    @operation("POST /model-endpoints/{endpoint_id}/test")
    def test(self, endpoint_id: AnyId) -> One[models.Test]:
        """Ask the model one small question."""
        return to(models.Test, again=False, timeout_seconds=180.0)


class Judges(Resource[M]):
    """`client.judges`: models that judge beside people."""

    @operation("POST /judges")
    def create(self, **asked: Unpack[models.NewJudge]) -> One[models.JudgeVersion]:
        """Make one."""
        return to(models.JudgeVersion, json=asked)

    @pages("GET /judges")
    def list(self) -> One[models.JudgeListed]:
        """All of them."""
        return to(models.JudgeListed)

    @operation("PATCH /judges/{judge_id}")
    def update(
        self, judge_id: AnyId, **asked: Unpack[models.JudgeChange]
    ) -> One[models.JudgeVersion]:
        """Make its next version."""
        return to(models.JudgeVersion, json=asked)

    @operation("POST /jobs/{job_id}/judge-runs")
    def run(self, job_id: AnyId, **asked: Unpack[models.JudgeRunAsked]) -> One[models.JudgeRun]:
        """Let a version judge a job's items, within a number of calls."""
        return to(models.JudgeRun, json=asked)

    @operation("GET /judge-runs/{run_id}")
    def get_run(self, run_id: AnyId) -> One[models.JudgeRun]:
        """How far it is."""
        return to(models.JudgeRun)

    @operation("POST /jobs/{job_id}/judge-report")
    def write_report(
        self, job_id: AnyId, **asked: Unpack[models.JudgeReportAsked]
    ) -> One[models.JudgeReport]:
        """Hold a model's judgements against people's."""
        return to(models.JudgeReport, json=asked)

    @operation("GET /jobs/{job_id}/judge-report")
    def report(self, job_id: AnyId, /, **query: Any) -> One[models.JudgeReport]:
        """The last report; query: model, version."""
        return to(models.JudgeReport, query=query)


class Pipelines(Resource[M]):
    """`client.pipelines`: models first, people where it is unsure."""

    @operation("GET /jobs/{job_id}/pipeline")
    def get(self, job_id: AnyId) -> One[models.Pipeline]:
        """A job's pipeline, and how it does."""
        return to(models.Pipeline)

    @operation("PUT /jobs/{job_id}/pipeline")
    def set(self, job_id: AnyId, **asked: Unpack[models.PipelineAsked]) -> One[models.Pipeline]:
        """Give a job one, or change it."""
        return to(models.Pipeline, json=asked)

    @operation("DELETE /jobs/{job_id}/pipeline")
    def remove(self, job_id: AnyId) -> One[None]:
        """Take it away."""
        return to_nothing()

    @pages("GET /jobs/{job_id}/pipeline/items")
    def routes(self, job_id: AnyId, route: str | None = None) -> One[models.PipelineRoute]:
        """Which items went where."""
        return to(models.PipelineRoute, query={"route": route})
