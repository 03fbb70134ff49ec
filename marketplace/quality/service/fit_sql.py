"""The statements of a fit: what it reads of tasks and votes, and what it writes."""

TASKS = """SELECT task.id, item.gold::text AS gold,
  (item.payload -> 'metadata')::text AS metadata FROM task JOIN item ON item.id = task.item_id
WHERE task.job_id = %(job_id)s AND task.id > %(after)s AND (NOT %(asked)s
  OR EXISTS (SELECT FROM submission WHERE submission.task_id = task.id))
ORDER BY task.id LIMIT %(limit)s"""
BEFORE = """SELECT task_id, unit, revision FROM posterior WHERE task_id = ANY(%(tasks)s)"""
VOTES = """SELECT s.task_id, s.specialist_id::text AS author, s.judgement::text AS judgement,
  coalesce(e.agreement >= 0.5, false) AS accepted, s.presented_order AS shown
FROM submission s JOIN seat ON seat.id = s.seat_id
LEFT JOIN skill_evidence e ON e.source = 'review' AND e.source_id = s.id
WHERE s.task_id = ANY(%(tasks)s) AND s.state IN ('submitted', 'in_review', 'accepted')
  AND seat.set_aside_at IS NULL ORDER BY s.id"""
MODELS = """SELECT task.id AS task_id, p.model || '@' || p.version AS author,
  p.payload::text AS judgement, false AS accepted, NULL AS shown
FROM task JOIN prelabel p ON p.item_id = task.item_id
WHERE task.id = ANY(%(tasks)s) ORDER BY task.id, p.number"""

AUTHORS = """INSERT INTO label_author AS a (job_id, question, kind, author, counts, n,
  reliability, lower, upper, bias, noise, fit, updated_at)
SELECT %(job_id)s, question, kind, author, counts, n, reliability, lower, upper, bias, noise,
  %(fit)s, %(at)s
FROM json_to_recordset(%(rows)s::json) AS x(question text, kind text, author text,
  counts float8[], n int8, reliability float8, lower float8, upper float8, bias float8,
  noise float8)
ORDER BY question, kind, author
ON CONFLICT (job_id, question, kind, author) DO UPDATE SET counts = excluded.counts,
  n = excluded.n, reliability = excluded.reliability, lower = excluded.lower,
  upper = excluded.upper, bias = excluded.bias, noise = excluded.noise, fit = excluded.fit,
  updated_at = excluded.updated_at"""
GONE = """DELETE FROM label_author WHERE job_id = %(job_id)s AND fit < %(fit)s
  AND updated_at < %(began_at)s"""
QUESTIONS = """INSERT INTO question_fit AS q (job_id, question, labels, population, accuracy,
  curve, method, fit)
SELECT %(job_id)s, question, labels, population, accuracy, curve, method, %(fit)s
FROM json_to_recordset(%(rows)s::json) AS x(question text, labels text[], population jsonb,
  accuracy float8, curve jsonb, method text)
ON CONFLICT (job_id, question) DO UPDATE SET labels = excluded.labels,
  population = excluded.population, accuracy = excluded.accuracy, curve = excluded.curve,
  method = excluded.method, fit = excluded.fit"""
AGREEMENT = """WITH gone AS (
  DELETE FROM agreement WHERE job_id = %(job_id)s AND unit <> ALL(%(units)s))
INSERT INTO agreement AS a (job_id, unit, level, items, labels, agreement_ratio, measures,
  computed_at)
SELECT %(job_id)s, unit, level, items, labels, agreement_ratio, measures, %(at)s
FROM json_to_recordset(%(rows)s::json) AS x(unit text, level text, items int8, labels int8,
  agreement_ratio float8, measures jsonb)
ON CONFLICT (job_id, unit) DO UPDATE SET level = excluded.level, items = excluded.items,
  labels = excluded.labels, agreement_ratio = excluded.agreement_ratio,
  measures = excluded.measures, computed_at = excluded.computed_at"""
POSTERIORS = """INSERT INTO posterior AS p (task_id, unit, job_id, question, label, confidence,
  labels, probabilities, n, humans, models, decided, estimate, estimate_lower, estimate_upper,
  fit, revision, updated_at)
SELECT task_id, unit, %(job_id)s, question, label, confidence, labels, probabilities,
  humans + models, humans, models, decided, estimate, lower, upper, %(fit)s, revision, %(at)s
FROM json_to_recordset(%(rows)s::json) AS x(task_id uuid, unit text, question text, label text,
  confidence float8, labels text[], probabilities float8[], humans int8, models int8,
  decided bool, estimate float8, lower float8, upper float8, revision int8)
ORDER BY task_id, unit
ON CONFLICT (task_id, unit) DO UPDATE SET label = excluded.label,
  confidence = excluded.confidence, labels = excluded.labels,
  probabilities = excluded.probabilities, n = excluded.n, humans = excluded.humans,
  models = excluded.models, decided = excluded.decided, estimate = excluded.estimate,
  estimate_lower = excluded.estimate_lower, estimate_upper = excluded.estimate_upper,
  fit = excluded.fit, updated_at = excluded.updated_at
WHERE p.revision = excluded.revision AND p.fit < excluded.fit
  AND (abs(p.confidence - excluded.confidence) > %(still)s
    OR abs(p.estimate - excluded.estimate) > %(still)s
    OR abs(p.estimate_lower - excluded.estimate_lower) > %(still)s
    OR (p.label, p.n, p.decided, p.labels, p.estimate IS NULL)
      IS DISTINCT FROM (excluded.label, excluded.n, excluded.decided, excluded.labels,
        excluded.estimate IS NULL))"""

STALE = """DELETE FROM posterior p USING json_to_recordset(%(rows)s::json)
  AS x(task_id uuid, unit text, revision int8)
WHERE p.task_id = x.task_id AND p.unit = x.unit AND p.revision = x.revision"""
STRENGTHS = """WITH gone AS (
  DELETE FROM job_strengths WHERE job_id = %(job_id)s AND question <> ALL(%(questions)s))
INSERT INTO job_strengths AS s (job_id, question, result, fit, computed_at)
SELECT %(job_id)s, question, result, %(fit)s, %(at)s
FROM json_to_recordset(%(rows)s::json) AS x(question text, result jsonb)
ON CONFLICT (job_id, question) DO UPDATE SET result = excluded.result, fit = excluded.fit,
  computed_at = excluded.computed_at"""
