WITH
-- children while they hung under their parent; the parent's own figures as one more
"stays" AS (
SELECT unnest($parents) AS parent, unnest($children) AS child, unnest($stay_from) AS stay_from, unnest($stay_to) AS stay_to
),
-- what was known: the sum of all changes up to the batch
"changes" AS (
SELECT s.parent AS node, s.child AS part, d.month_no, sum(d."cost") AS "cost@ledger", sum(d.got) AS "got_ledger" FROM "node_ledger" d JOIN stays s ON s.child = d.node AND d.month_no >= s.stay_from AND d.month_no < s.stay_to WHERE true AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT s.parent AS node, s.child AS part, d.month_no, sum(d."heads") AS "heads@staff", sum(d.got) AS "got_staff" FROM "node_staff" d JOIN stays s ON s.child = d.node AND d.month_no >= s.stay_from AND d.month_no < s.stay_to WHERE true AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT s.parent AS node, s.child AS part, d.month_no, sum(d."due_cost") AS "due_cost" FROM node_due d JOIN stays s ON s.child = d.node AND d.month_no >= s.stay_from AND d.month_no < s.stay_to WHERE true AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
),
-- one row per cell
"folded" AS (
SELECT node, part, month_no, sum("cost@ledger") AS "cost@ledger", sum("heads@staff") AS "heads@staff", sum("got_ledger") AS "got_ledger", sum("got_staff") AS "got_staff", sum("due_cost") AS "due_cost" FROM changes GROUP BY node, part, month_no
),
-- missing is not zero: a figure exists where a report came
"cells" AS (
SELECT node, part, month_no, CASE WHEN "got_ledger" > 0 THEN coalesce("cost@ledger", 0) END AS "cost", CASE WHEN "got_staff" > 0 THEN coalesce("heads@staff", 0) END AS "heads", coalesce("got_ledger", 0) AS "got_ledger", coalesce("got_staff", 0) AS "got_staff", coalesce("due_cost", 0) AS "due_cost" FROM folded
),
-- operands of each window; of a mean the sum and its months, or the figure they share
"operands" AS (
SELECT c."node", c."part", 0 AS w, sum(c."cost") AS "cost", CASE WHEN max(c."heads") * ($last - $first) = sum(c."heads") THEN max(c."heads") ELSE sum(c."heads") END AS "heads_avg", CASE WHEN max(CASE WHEN c."heads" IS NULL THEN c."due_cost" END) > 0 THEN NULL WHEN max(c."heads") * ($last - $first) = sum(c."heads") THEN 1 ELSE ($last - $first) END AS "heads_avg_months", sum(c."due_cost") AS "due_cost", sum(c."got_ledger") AS "got_ledger", sum(c."got_staff") AS "got_staff"
FROM cells c
WHERE c.month_no >= $first AND c.month_no < $last
GROUP BY c."node", c."part"
)
SELECT
  o0."node", o0."part", o0.w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o0."got_staff" AS "got_staff",
  o0."heads_avg_months" AS "heads_avg_months",
  CAST(o0."cost" * o0."heads_avg_months" AS DOUBLE) / nullif(CAST(o0."heads_avg" AS DOUBLE), 0) AS "per_head.value",
  o0."cost" AS "per_head.numerator",
  (CAST(o0."heads_avg" AS DOUBLE) / o0."heads_avg_months") AS "per_head.denominator"
FROM operands o0
