WITH
-- children while they hung under their parent; the parent's own figures as one more
"stays" AS (
SELECT unnest($parents) AS parent, unnest($children) AS child, unnest($stay_from) AS stay_from, unnest($stay_to) AS stay_to
),
-- what was known: the sum of all changes up to the batch
"changes" AS (
SELECT s.parent AS node, s.child AS part, d.month_no, sum(d."cost") AS "cost@ledger", sum(d.got) AS "got_ledger" FROM "node_ledger" d JOIN stays s ON s.child = d.node AND d.month_no >= s.stay_from AND d.month_no < s.stay_to WHERE true AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT s.parent AS node, s.child AS part, d.month_no, sum(d."due_cost") AS "due_cost" FROM node_due d JOIN stays s ON s.child = d.node AND d.month_no >= s.stay_from AND d.month_no < s.stay_to WHERE true AND d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq GROUP BY ALL
),
-- one row per cell
"folded" AS (
SELECT node, part, month_no, sum("cost@ledger") AS "cost@ledger", sum("got_ledger") AS "got_ledger", sum("due_cost") AS "due_cost" FROM changes GROUP BY node, part, month_no
),
-- missing is not zero: a figure exists where a report came
"cells" AS (
SELECT node, part, month_no, CASE WHEN "got_ledger" > 0 THEN coalesce("cost@ledger", 0) END AS "cost", coalesce("got_ledger", 0) AS "got_ledger", coalesce("due_cost", 0) AS "due_cost" FROM folded
),
-- the units that count below each node, and in which months
"places" AS (
SELECT p.theme, s.parent AS node, s.child AS part, p.dsc AS unit,
 greatest(p.from_m, s.stay_from) AS from_m, least(p.to_m, s.stay_to) AS to_m, p.owes OR p.depth = 0 AS owes
FROM population p JOIN stays s ON s.child = p.anc AND p.from_m < s.stay_to AND s.stay_from < p.to_m
WHERE p.rec_from <= $seq AND $seq < p.rec_to
),
-- figures by item_code, of which the greatest is wanted
"parts_item_code" AS (
SELECT "node", "part", thing, month_no, sum("cost") AS "cost" FROM (
SELECT p.node, p.part, u."item_code" AS thing, u.month_no, sum(u."cost") AS "cost" FROM places p JOIN "leaf_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
)
WHERE thing IS NOT NULL GROUP BY "node", "part", thing, month_no
),
-- operands of each window
"operands" AS (
SELECT c."node", c."part", c.w, sum(c."cost") AS "cost", sum(c."due_cost") AS "due_cost", sum(c."got_ledger") AS "got_ledger"
FROM (
  SELECT c."node", c."part", c."month_no", c."cost", c."got_ledger", c."due_cost", unnest($member[c.month_no - $first + 1]) AS w
  FROM cells c
  WHERE c.month_no >= $first AND c.month_no < $last
) c
GROUP BY c."node", c."part", c.w
),
-- operands of each window; the greatest by item_code
"operands_top_item_code" AS (
SELECT "node", "part", w, max("cost_top_item_code") AS "cost_top_item_code"
FROM (
  SELECT c."node", c."part", c.w, c.thing, sum(c."cost") AS "cost_top_item_code"
  FROM (
  SELECT c."node", c."part", c."month_no", c."thing", c."cost", unnest($member[c.month_no - $first + 1]) AS w
  FROM "parts_item_code" c
  WHERE c.month_no >= $first AND c.month_no < $last
) c
  GROUP BY c."node", c."part", c.w, c.thing
)
GROUP BY "node", "part", w
)
SELECT
  o0."node", o0."part", o0.w,
  o0."due_cost" AS "due_cost",
  o0."got_ledger" AS "got_ledger",
  CAST(o_top_item_code."cost_top_item_code" AS DOUBLE) / nullif(CAST(o0."cost" AS DOUBLE), 0) * 100.0 AS "top_item.value",
  o_top_item_code."cost_top_item_code" AS "top_item.numerator",
  o0."cost" AS "top_item.denominator"
FROM operands o0
LEFT JOIN operands_top_item_code o_top_item_code ON o_top_item_code."node" = o0."node" AND o_top_item_code."part" IS NOT DISTINCT FROM o0."part" AND o_top_item_code.w = o0.w
