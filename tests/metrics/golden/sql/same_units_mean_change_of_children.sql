WITH
-- children while they hung under their parent; the parent's own figures as one more
"stays" AS (
SELECT unnest($parents) AS parent, unnest($children) AS child, unnest($stay_from) AS stay_from, unnest($stay_to) AS stay_to
),
-- the units that count below each node, and in which months
"places" AS (
SELECT p.theme, s.parent AS node, s.child AS part, p.dsc AS unit,
 greatest(p.from_m, s.stay_from) AS from_m, least(p.to_m, s.stay_to) AS to_m, p.owes OR p.depth = 0 AS owes
FROM population p JOIN stays s ON s.child = p.anc AND p.from_m < s.stay_to AND s.stay_from < p.to_m
WHERE p.rec_from <= $seq AND $seq < p.rec_to
),
-- reports, duties and figures of the units below each node
"changes" AS (
SELECT p.node, p.part, p.unit, u.month_no, sum(u.got) AS "got_ledger" FROM places p JOIN "unit_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND p.owes AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, p.part, p.unit, u.month_no, sum(u.got) AS "got_staff" FROM places p JOIN "unit_staff" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND p.owes AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT u.node, u.part, u.unit, u.month_no, count(*) AS "due_cost" FROM (SELECT node, "part", unit, unnest(range(greatest(from_m, $lo)::BIGINT, least(to_m, $hi)::BIGINT))::INTEGER AS month_no FROM places WHERE theme = 'cost' AND owes) u GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, p.part, p.unit, u.month_no, sum(u."cost") AS "cost@ledger" FROM places p JOIN "unit_ledger" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
UNION ALL BY NAME
SELECT p.node, p.part, p.unit, u.month_no, sum(u."heads") AS "heads@staff" FROM places p JOIN "unit_staff" u ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m WHERE p.theme = 'cost' AND u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq GROUP BY ALL
),
-- one row per cell
"folded" AS (
SELECT node, part, unit, month_no, sum("cost@ledger") AS "cost@ledger", sum("heads@staff") AS "heads@staff", sum("got_ledger") AS "got_ledger", sum("got_staff") AS "got_staff", sum("due_cost") AS "due_cost" FROM changes GROUP BY node, part, unit, month_no
),
-- missing is not zero: a figure exists where a report came
"cells" AS (
SELECT node, part, unit, month_no, CASE WHEN "got_ledger" > 0 THEN coalesce("cost@ledger", 0) END AS "cost", CASE WHEN "got_staff" > 0 THEN coalesce("heads@staff", 0) END AS "heads", coalesce("got_ledger", 0) AS "got_ledger", coalesce("got_staff", 0) AS "got_staff", coalesce("due_cost", 0) AS "due_cost" FROM folded
),
-- the months each window holds, and its base
"windows" AS (
SELECT w, first, last, least(first, first - 12) AS lo, greatest(last, last - 12) AS hi FROM (SELECT unnest(range(len($ends)))::INTEGER AS w, unnest($firsts) AS first, unnest($ends) AS last)
),
-- units below each node in every month read: who owed all reports, and who handed all of them in
"members" AS (
SELECT c."node", c."part", c.unit, v.w, count(CASE WHEN c.month_no >= v.first - 12 AND c.month_no < v.last - 12 AND c."due_cost" > 0 THEN 1 END) = any_value(v.last - 12 - (v.first - 12)) AND count(CASE WHEN c.month_no >= v.first AND c.month_no < v.last AND c."due_cost" > 0 THEN 1 END) = any_value(v.last - (v.first)) AS owed, count(CASE WHEN c.month_no >= v.first - 12 AND c.month_no < v.last - 12 AND c."cost" IS NOT NULL THEN 1 END) = any_value(v.last - 12 - (v.first - 12)) AND count(CASE WHEN c.month_no >= v.first - 12 AND c.month_no < v.last - 12 AND c."heads" IS NOT NULL THEN 1 END) = any_value(v.last - 12 - (v.first - 12)) AND count(CASE WHEN c.month_no >= v.first AND c.month_no < v.last AND c."cost" IS NOT NULL THEN 1 END) = any_value(v.last - (v.first)) AND count(CASE WHEN c.month_no >= v.first AND c.month_no < v.last AND c."heads" IS NOT NULL THEN 1 END) = any_value(v.last - (v.first)) AS came
FROM cells c JOIN windows v ON c.month_no >= v.lo AND c.month_no < v.hi
GROUP BY c."node", c."part", c.unit, v.w
),
-- how many units owed both sides, and how many of them are compared
"panel" AS (
SELECT "node", "part", w, count(CASE WHEN owed THEN 1 END) AS owed, count(CASE WHEN owed AND came THEN 1 END) AS came
FROM members GROUP BY "node", "part", w
),
-- figures of the units that are compared
"panel_cells" AS (
SELECT m."node", m."part", m.w, c.month_no, sum(c."cost") AS "cost", sum(c."heads") AS "heads", sum(c."got_ledger") AS "got_ledger", sum(c."got_staff") AS "got_staff", sum(c."due_cost") AS "due_cost"
FROM members m JOIN cells c ON c."node" = m."node" AND c."part" IS NOT DISTINCT FROM m."part" AND c."unit" = m."unit" JOIN windows v ON v.w = m.w
WHERE m.came AND c.month_no >= v.lo AND c.month_no < v.hi GROUP BY m."node", m."part", m.w, c.month_no
),
-- operands of each window; of a mean the sum and its months, or the figure they share
"operands" AS (
SELECT c."node", c."part", c.w, sum(c."cost") AS "cost", CASE WHEN max(c."heads") * $months[c.w + 1] = sum(c."heads") THEN max(c."heads") ELSE sum(c."heads") END AS "heads_avg", CASE WHEN max(CASE WHEN c."heads" IS NULL THEN c."due_cost" END) > 0 THEN NULL WHEN max(c."heads") * $months[c.w + 1] = sum(c."heads") THEN 1 ELSE $months[c.w + 1] END AS "heads_avg_months"
FROM panel_cells c JOIN windows v ON v.w = c.w
WHERE c.month_no >= v.first AND c.month_no < v.last
GROUP BY c."node", c."part", c.w
),
-- operands of each window, 12 months earlier; of a mean the sum and its months, or the figure they share
"operands_12" AS (
SELECT c."node", c."part", c.w, sum(c."cost") AS "cost_12", CASE WHEN max(c."heads") * $months[c.w + 1] = sum(c."heads") THEN max(c."heads") ELSE sum(c."heads") END AS "heads_avg_12", CASE WHEN max(CASE WHEN c."heads" IS NULL THEN c."due_cost" END) > 0 THEN NULL WHEN max(c."heads") * $months[c.w + 1] = sum(c."heads") THEN 1 ELSE $months[c.w + 1] END AS "heads_avg_12_months"
FROM panel_cells c JOIN windows v ON v.w = c.w
WHERE c.month_no >= v.first - 12 AND c.month_no < v.last - 12
GROUP BY c."node", c."part", c.w
),
-- what the formulas read, with the ratios that are held against each other
"sides" AS (
SELECT
  p."node", p."part", p.w,
  p.owed AS "due_cost",
  p.came AS "got_ledger",
  p.owed AS "due_cost_12",
  p.came AS "got_ledger_12",
  p.came AS "got_staff",
  p.came AS "got_staff_12",
  o0."heads_avg_months" AS "heads_avg_months",
  o12."heads_avg_12_months" AS "heads_avg_12_months",
  CAST(o0."cost" * o0."heads_avg_months" AS DOUBLE) / NULLIF(CAST(o0."heads_avg" AS DOUBLE), 0) AS "cost / heads_avg",
  CAST(o12."cost_12" * o12."heads_avg_12_months" AS DOUBLE) / NULLIF(CAST(o12."heads_avg_12" AS DOUBLE), 0) AS "cost_12 / heads_avg_12"
FROM panel p
LEFT JOIN operands o0 ON o0."node" = p."node" AND o0."part" IS NOT DISTINCT FROM p."part" AND o0.w = p.w
LEFT JOIN operands_12 o12 ON o12."node" = p."node" AND o12."part" IS NOT DISTINCT FROM p."part" AND o12.w = p.w
)
SELECT
  s."node", s."part", s.w,
  s."due_cost" AS "due_cost",
  s."got_ledger" AS "got_ledger",
  s."due_cost_12" AS "due_cost_12",
  s."got_ledger_12" AS "got_ledger_12",
  s."got_staff" AS "got_staff",
  s."got_staff_12" AS "got_staff_12",
  s."heads_avg_months" AS "heads_avg_months",
  s."heads_avg_12_months" AS "heads_avg_12_months",
  (s."cost / heads_avg" - s."cost_12 / heads_avg_12") / CASE WHEN s."cost_12 / heads_avg_12" > 0 THEN s."cost_12 / heads_avg_12" END * 100.0 AS "per_head_yoy.value",
  (s."cost / heads_avg" - s."cost_12 / heads_avg_12") AS "per_head_yoy.numerator",
  s."cost_12 / heads_avg_12" AS "per_head_yoy.denominator",
  s."cost / heads_avg" AS "per_head_yoy.current"
FROM sides s
