SELECT
  o0."node", list_position($ends, o0.month_no + 1) - 1 AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o0."got_staff" AS "got_staff",
  o0."heads_avg_months" AS "heads_avg_months",
  CAST(o0."cost" * o0."heads_avg_months" AS DOUBLE) / nullif(CAST(o0."heads_avg" AS DOUBLE), 0) AS "per_head.value",
  o0."cost" AS "per_head.numerator",
  (CAST(o0."heads_avg" AS DOUBLE) / o0."heads_avg_months") AS "per_head.denominator"
FROM snap_ytd o0
WHERE o0.node IN (SELECT unnest($nodes)) AND o0.month_no >= $ends[1] - 1 AND o0.month_no < $last AND list_contains($ends, o0.month_no + 1)
