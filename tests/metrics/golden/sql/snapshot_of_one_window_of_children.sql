WITH
-- children while they hung under their parent; the parent's own figures as one more
"stays" AS (
SELECT unnest($parents) AS parent, unnest($children) AS child, unnest($stay_from) AS stay_from, unnest($stay_to) AS stay_to
),
-- current figures of each child, summed for the windows that end with a month
"cells" AS (
SELECT s.parent AS node, s.child AS part, n.month_no, n."months", n."cost", n."heads_avg", n."heads_avg_months", n."due_cost", n."got_ledger", n."got_staff"
FROM (SELECT DISTINCT parent, child FROM stays) s JOIN snap_ytd n ON n.node = s.child
WHERE n.month_no IN ($last - 1)
)
SELECT
  o0."node", o0."part", 0 AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o0."got_staff" AS "got_staff",
  o0."heads_avg_months" AS "heads_avg_months",
  CAST(o0."cost" * o0."heads_avg_months" AS DOUBLE) / nullif(CAST(o0."heads_avg" AS DOUBLE), 0) AS "per_head.value",
  o0."cost" AS "per_head.numerator",
  (CAST(o0."heads_avg" AS DOUBLE) / o0."heads_avg_months") AS "per_head.denominator"
FROM cells o0
WHERE o0.month_no = $last - 1
