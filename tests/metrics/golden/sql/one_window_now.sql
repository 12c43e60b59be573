WITH
-- operands of each window; of a mean the sum and its months, or the figure they share
"operands" AS (
SELECT $nodes AS node, 0 AS w, sum(c."cost") AS "cost", sum(CASE WHEN c.month_no = $last - 1 THEN c."excess" END) AS "excess_last", CASE WHEN max(c."heads") * ($last - $first) = sum(c."heads") THEN max(c."heads") ELSE sum(c."heads") END AS "heads_avg", CASE WHEN max(CASE WHEN c."heads" IS NULL THEN c."due_cost" END) > 0 THEN NULL WHEN max(c."heads") * ($last - $first) = sum(c."heads") THEN 1 ELSE ($last - $first) END AS "heads_avg_months", sum(c."due_cost") AS "due_cost", sum(c."got_ledger") AS "got_ledger", sum(CASE WHEN c.month_no = $last - 1 THEN c."due_cost" END) AS "due_cost_last", sum(CASE WHEN c.month_no = $last - 1 THEN c."got_staff" END) AS "got_staff_last", sum(c."got_staff") AS "got_staff"
FROM node_now c
WHERE c.node = $nodes AND c.month_no >= $first AND c.month_no < $last
)
SELECT
  o0."node", o0.w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o0."due_cost_last" AS "due_cost_last",
  o0."got_staff_last" AS "got_staff_last",
  o0."got_staff" AS "got_staff",
  o0."heads_avg_months" AS "heads_avg_months",
  CAST(o0."cost" * o0."heads_avg_months" AS DOUBLE) / nullif(CAST(o0."heads_avg" AS DOUBLE), 0) AS "per_head.value",
  o0."cost" AS "per_head.numerator",
  (CAST(o0."heads_avg" AS DOUBLE) / o0."heads_avg_months") AS "per_head.denominator",
  o0."excess_last" AS "over.value"
FROM operands o0
