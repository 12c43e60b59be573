WITH
-- what was known: the sum of all changes up to the batch
"changes" AS (
SELECT d.node, d.month_no, sum(d."cost") AS "cost@ledger", sum(d.got) AS "got_ledger" FROM "node_ledger" d WHERE d.node = $nodes AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT d.node, d.month_no, sum(d."due_cost") AS "due_cost" FROM node_due d WHERE d.node = $nodes AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
),
-- one row per cell
"folded" AS (
SELECT node, month_no, sum("cost@ledger") AS "cost@ledger", sum("got_ledger") AS "got_ledger", sum("due_cost") AS "due_cost" FROM changes GROUP BY node, month_no
),
-- missing is not zero: a figure exists where a report came
"cells" AS (
SELECT node, month_no, CASE WHEN "got_ledger" > 0 THEN coalesce("cost@ledger", 0) END AS "cost", coalesce("got_ledger", 0) AS "got_ledger", coalesce("due_cost", 0) AS "due_cost" FROM folded
)
SELECT
  o0."node", o0.month_no - $first AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  CAST(o0."cost" AS DECIMAL(33, 2)) * CAST(0.0001 AS DECIMAL(5, 4)) AS "total.value",
  o0."cost" AS "total.numerator"
FROM cells o0
WHERE o0.month_no >= $first AND o0.month_no < $last
