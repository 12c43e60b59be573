SELECT
  o0."node", list_position($ends, o0.month_no + 1) - 1 AS w,
  o0."due_cost" AS "due_cost_last",
  o0."got_staff" AS "got_staff_last",
  o0."excess" AS "over.value"
FROM node_now o0
WHERE o0.node = $nodes AND o0.month_no >= $first AND o0.month_no < $last AND list_contains($ends, o0.month_no + 1)
