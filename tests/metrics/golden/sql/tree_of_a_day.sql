WITH
-- the units that count below each node, and in which months
"places" AS (
SELECT p.theme, k.anc AS node, p.dsc AS unit, p.from_m, p.to_m, p.owes OR k.depth = 0 AS owes
FROM population p JOIN closure_ext k ON k.dsc = p.dsc AND $tree_month >= k.from_m AND $tree_month < k.to_m
 AND k.rec_from <= $seq AND $seq < k.rec_to
WHERE p.depth = 0 AND p.anc = p.dsc AND p.rec_from <= $seq AND $seq < p.rec_to
 AND k.anc IN (SELECT unnest($nodes))
UNION ALL
SELECT p.theme, p.anc, p.dsc, p.from_m, p.to_m, true FROM population p
WHERE p.depth = 0 AND p.anc <> p.dsc AND p.rec_from <= $seq AND $seq < p.rec_to AND p.anc IN (SELECT unnest($nodes))
),
-- reports, duties and figures of the units below each node
"changes" AS (
SELECT p.node, u.month_no, sum(u.got) AS "got_ledger" FROM places p JOIN "unit_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND p.owes AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, u.month_no, sum(u.got) AS "got_staff" FROM places p JOIN "unit_staff" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND p.owes AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT u.node, u.month_no, count(*) AS "due_cost" FROM (SELECT node, unnest(range(greatest(from_m, $lo)::BIGINT, least(to_m, $hi)::BIGINT))::INTEGER AS month_no FROM places WHERE theme = 'cost' AND owes) u GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, u.month_no, sum(u."cost") AS "cost@ledger" FROM places p JOIN "unit_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, u.month_no, sum(u."excess") AS "excess@excess" FROM places p JOIN "unit_excess" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
),
-- one row per cell
"folded" AS (
SELECT node, month_no, sum("cost@ledger") AS "cost@ledger", sum("excess@excess") AS "excess@excess", sum("got_ledger") AS "got_ledger", sum("got_staff") AS "got_staff", sum("due_cost") AS "due_cost" FROM changes GROUP BY node, month_no
),
-- missing is not zero: a figure exists where a report came
"cells" AS (
SELECT node, month_no, CASE WHEN "got_ledger" > 0 THEN coalesce("cost@ledger", 0) END AS "cost", CASE WHEN "got_staff" > 0 THEN coalesce("excess@excess", 0) END AS "excess", coalesce("got_ledger", 0) AS "got_ledger", coalesce("got_staff", 0) AS "got_staff", coalesce("due_cost", 0) AS "due_cost" FROM folded
)
SELECT
  o0."node", o0.month_no - $first AS w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  o0."due_cost" AS "due_cost_last",
  o0."got_staff" AS "got_staff_last",
  CAST(o0."cost" AS DECIMAL(33, 2)) * CAST(0.0001 AS DECIMAL(5, 4)) AS "total.value",
  o0."cost" AS "total.numerator",
  o0."excess" AS "over.value"
FROM cells o0
WHERE o0.month_no >= $first AND o0.month_no < $last
