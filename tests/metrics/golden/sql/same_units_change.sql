WITH
-- the units that count below each node, and in which months
"places" AS (
SELECT p.theme, p.anc AS node, p.dsc AS unit, p.from_m, p.to_m, p.owes OR p.depth = 0 AS owes FROM population p
WHERE p.rec_from <= $seq AND $seq < p.rec_to AND p.anc IN (SELECT unnest($nodes))
),
-- reports, duties and figures of the units below each node
"changes" AS (
SELECT p.node, p.unit, u.month_no, sum(u.got) AS "got_ledger" FROM places p JOIN "unit_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND p.owes AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT u.node, u.unit, u.month_no, count(*) AS "due_cost" FROM (SELECT node, unit, unnest(range(greatest(from_m, $lo)::BIGINT, least(to_m, $hi)::BIGINT))::INTEGER AS month_no FROM places WHERE theme = 'cost' AND owes) u GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, p.unit, u.month_no, sum(u."cost") AS "cost@ledger" FROM places p JOIN "unit_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
),
-- one row per cell
"folded" AS (
SELECT node, unit, month_no, sum("cost@ledger") AS "cost@ledger", sum("got_ledger") AS "got_ledger", sum("due_cost") AS "due_cost" FROM changes GROUP BY node, unit, month_no
),
-- missing is not zero: a figure exists where a report came
"cells" AS (
SELECT node, unit, month_no, CASE WHEN "got_ledger" > 0 THEN coalesce("cost@ledger", 0) END AS "cost", coalesce("got_ledger", 0) AS "got_ledger", coalesce("due_cost", 0) AS "due_cost" FROM folded
),
-- the months each window holds, and its base
"windows" AS (
SELECT w, first, last, least(first, first - 12) AS lo, greatest(last, last - 12) AS hi FROM (SELECT unnest(range(len($ends)))::INTEGER AS w, unnest($firsts) AS first, unnest($ends) AS last)
),
-- units below each node in every month read: who owed all reports, and who handed all of them in
"members" AS (
SELECT c."node", c.unit, v.w, count(CASE WHEN c.month_no >= v.first - 12 AND c.month_no < v.last - 12 AND c."due_cost" > 0 THEN 1 END) = any_value(v.last - 12 - (v.first - 12)) AND count(CASE WHEN c.month_no >= v.first AND c.month_no < v.last AND c."due_cost" > 0 THEN 1 END) = any_value(v.last - (v.first)) AS owed, count(CASE WHEN c.month_no >= v.first - 12 AND c.month_no < v.last - 12 AND c."cost" IS NOT NULL THEN 1 END) = any_value(v.last - 12 - (v.first - 12)) AND count(CASE WHEN c.month_no >= v.first AND c.month_no < v.last AND c."cost" IS NOT NULL THEN 1 END) = any_value(v.last - (v.first)) AS came
FROM cells c JOIN windows v ON c.month_no >= v.lo AND c.month_no < v.hi
GROUP BY c."node", c.unit, v.w
),
-- how many units owed both sides, and how many of them are compared
"panel" AS (
SELECT "node", w, count(CASE WHEN owed THEN 1 END) AS owed, count(CASE WHEN owed AND came THEN 1 END) AS came
FROM members GROUP BY "node", w
),
-- figures of the units that are compared
"panel_cells" AS (
SELECT m."node", m.w, c.month_no, sum(c."cost") AS "cost", sum(c."got_ledger") AS "got_ledger", sum(c."due_cost") AS "due_cost"
FROM members m JOIN cells c ON c."node" = m."node" AND c."unit" = m."unit" JOIN windows v ON v.w = m.w
WHERE m.came AND c.month_no >= v.lo AND c.month_no < v.hi GROUP BY m."node", m.w, c.month_no
),
-- operands of each window
"operands" AS (
SELECT c."node", c.w, sum(c."cost") AS "cost"
FROM panel_cells c JOIN windows v ON v.w = c.w
WHERE c.month_no >= v.first AND c.month_no < v.last
GROUP BY c."node", c.w
),
-- operands of each window, 12 months earlier
"operands_12" AS (
SELECT c."node", c.w, sum(c."cost") AS "cost_12"
FROM panel_cells c JOIN windows v ON v.w = c.w
WHERE c.month_no >= v.first - 12 AND c.month_no < v.last - 12
GROUP BY c."node", c.w
)
SELECT
  p."node", p.w,
  p.owed AS "due_cost",
  p.came AS "got_ledger",
  p.owed AS "due_cost_12",
  p.came AS "got_ledger_12",
  CAST(o0."cost" - (o12."cost_12") AS DOUBLE) / CASE WHEN CAST(o12."cost_12" AS DOUBLE) > 0 THEN CAST(o12."cost_12" AS DOUBLE) END * 100.0 AS "change.value",
  o0."cost" - (o12."cost_12") AS "change.numerator",
  o12."cost_12" AS "change.denominator",
  o0."cost" AS "change.current"
FROM panel p
LEFT JOIN operands o0 ON o0."node" = p."node" AND o0.w = p.w
LEFT JOIN operands_12 o12 ON o12."node" = p."node" AND o12.w = p.w
