SELECT
  CAST(1 AS TINYINT) AS sign,
  unit,
  from_m AS from_m,
  to_m AS to_m,
  rec_from,
  rec_to,
  `amount`,
  `item_code`
FROM (
  SELECT
    `d_payment`.`row_id` AS `row_id`,
    `d_payment`.`rec_from` AS `rec_from`,
    `d_payment`.`rec_to` AS `rec_to`,
    `d_payment`.`unit` AS `unit`,
    `d_payment`.`from_m` AS `from_m`,
    `d_payment`.`to_m` AS `to_m`,
    `d_payment`.`voucher` AS `voucher`,
    `d_payment`.`line` AS `line`,
    `d_payment`.`paid_on` AS `paid_on`,
    `d_payment`.`item_code` AS `item_code`,
    `d_payment`.`item_name` AS `item_name`,
    `d_payment`.`function_code` AS `function_code`,
    `d_payment`.`project` AS `project`,
    `d_payment`.`fund` AS `fund`,
    `d_payment`.`exp_kind` AS `exp_kind`,
    `d_payment`.`amount` AS `amount`,
    `d_payment`.`contract_no` AS `contract_no`,
    `d_payment`.`summary` AS `summary`,
    `d_payment`.`note` AS `note`,
    `d_payment`.`file_name` AS `file_name`,
    `d_payment`.`sheet` AS `sheet`,
    `d_payment`.`row_no` AS `row_no`
  FROM `d_payment`
)
