WITH
-- the figure of every peer
"answers" AS (
SELECT
  o0."node", o0.month_no - $first AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o0."got_staff" AS "got_staff",
  CAST(o0."cost" AS DOUBLE) / nullif(CAST(o0."heads" AS DOUBLE), 0) AS "per_head.value",
  o0."cost" AS "per_head.numerator",
  CAST(o0."heads" AS DOUBLE) AS "per_head.denominator"
FROM node_now o0
WHERE o0.node IN (SELECT unnest($nodes)) AND o0.month_no >= $first AND o0.month_no < $last
),
-- what makes nodes peers, in the last month of each window
"peers" AS (
SELECT v.w, o.code AS node, o."level", o."kind", o."climate"
FROM (SELECT unnest(range(len($ends)))::INTEGER AS w, unnest($ends) AS last) v
JOIN d_org_unit o ON o.from_m < v.last AND v.last <= o.to_m AND o.rec_from <= $seq AND $seq < o.rec_to
)
SELECT
  a."node",
  a."w",
  a."due_cost",
  a."got_ledger",
  a."got_staff",
  a."per_head.value",
  a."per_head.numerator",
  a."per_head.denominator",
  CASE WHEN a."per_head.value" IS NOT NULL THEN rank() OVER (PARTITION BY a.w, g."level", g."kind", g."climate" ORDER BY a."per_head.value" ASC NULLS LAST) END AS "per_head.rank",
  count(a."per_head.value") OVER (PARTITION BY a.w, g."level", g."kind", g."climate") AS "per_head.peers",
  count(CASE WHEN a."due_cost" > 0 THEN 1 END) OVER (PARTITION BY a.w, g."level", g."kind", g."climate") AS "per_head.peers_due",
  CASE WHEN a."per_head.value" IS NOT NULL AND count(a."per_head.value") OVER (PARTITION BY a.w, g."level", g."kind", g."climate") >= 5 THEN CAST(rank() OVER (PARTITION BY a.w, g."level", g."kind", g."climate" ORDER BY a."per_head.value" ASC NULLS LAST) - 1 AS DOUBLE) / CAST(count(a."per_head.value") OVER (PARTITION BY a.w, g."level", g."kind", g."climate") - 1 AS DOUBLE) * 100.0 END AS "per_head.pct"
FROM answers a JOIN peers g ON g.node = a.node AND g.w = a.w
