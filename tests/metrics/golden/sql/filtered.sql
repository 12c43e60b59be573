WITH
-- the units that count below each node, and in which months
"places" AS (
SELECT theme, node, unit, from_m, to_m, owes, "level" FROM (SELECT t.theme, t.node, t.unit, t.owes, greatest(t.from_m, o.from_m) AS from_m, least(t.to_m, o.to_m) AS to_m, o."level"
FROM (SELECT p.theme, p.anc AS node, p.dsc AS unit, p.from_m, p.to_m, p.owes OR p.depth = 0 AS owes FROM population p
WHERE p.rec_from <= $seq AND $seq < p.rec_to AND p.anc = $nodes) t JOIN d_org_unit o ON o.code = t.unit AND o.from_m < t.to_m AND t.from_m < o.to_m AND o.rec_from <= $seq AND $seq < o.rec_to) WHERE ("level" = $where_2)
),
-- reports, duties and figures of the units below each node
"changes" AS (
SELECT p.node, u.month_no, sum(u.got) AS "got_ledger" FROM places p JOIN "unit_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND p.owes AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT u.node, u.month_no, count(*) AS "due_cost" FROM (SELECT node, unnest(range(greatest(from_m, $lo)::BIGINT, least(to_m, $hi)::BIGINT))::INTEGER AS month_no FROM places WHERE theme = 'cost' AND owes) u GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, u.month_no, sum(u."cost") AS "cost@ledger" FROM places p JOIN "leaf_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq AND ("item_code" IN ($where_0, $where_1) AND "level" = $where_2) GROUP BY ALL
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
