# Nothing changes.
resource "aws_dynamodb_table" "plain" {
  name           = "plain"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5
  write_capacity = 5
  hash_key       = "pk"

  attribute {
    name = "pk"
    type = "S"
  }
}

# An index is added.
resource "aws_dynamodb_table" "indexed" {
  name           = "indexed"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5
  write_capacity = 5
  hash_key       = "pk"

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "g"
    type = "S"
  }

  global_secondary_index {
    name            = "by-g"
    hash_key        = "g"
    projection_type = "KEYS_ONLY"
    read_capacity   = 2
    write_capacity  = 2
  }
}

# The units change.
resource "aws_dynamodb_table" "capacity" {
  name           = "capacity"
  billing_mode   = "PROVISIONED"
  read_capacity  = 50
  write_capacity = 20
  hash_key       = "pk"

  attribute {
    name = "pk"
    type = "S"
  }
}

# Another key: the table is replaced.
resource "aws_dynamodb_table" "replaced" {
  name           = "replaced"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5
  write_capacity = 5
  hash_key       = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

# Another name: the table is replaced.
resource "aws_dynamodb_table" "renamed" {
  name           = "renamed-v2"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5
  write_capacity = 5
  hash_key       = "pk"

  attribute {
    name = "pk"
    type = "S"
  }
}

# The resource has another address; the table stays.
resource "aws_dynamodb_table" "moved" {
  name           = "moved"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5
  write_capacity = 5
  hash_key       = "pk"

  attribute {
    name = "pk"
    type = "S"
  }
}

moved {
  from = aws_dynamodb_table.at_first
  to   = aws_dynamodb_table.moved
}

# Terraform forgets the table, which stays.
removed {
  from = aws_dynamodb_table.forgotten

  lifecycle {
    destroy = false
  }
}

# A new table, with point-in-time recovery.
resource "aws_dynamodb_table" "new" {
  name         = "new"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  attribute {
    name = "pk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }
}

# One instance for each key.
resource "aws_dynamodb_table" "each" {
  for_each       = toset(["a", "b", "c"])
  name           = "each-${each.key}"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5
  write_capacity = 5
  hash_key       = "pk"

  attribute {
    name = "pk"
    type = "S"
  }
}

# Some instances.
resource "aws_dynamodb_table" "counted" {
  count          = 1
  name           = "counted-${count.index}"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5
  write_capacity = 5
  hash_key       = "pk"

  attribute {
    name = "pk"
    type = "S"
  }
}

# A module, whose indexes are dynamic blocks.
module "shop" {
  source  = "./modules/table"
  name    = "of-module"
  read    = 8
  write   = 4
  indexes = ["g"]
}

# A replica is added, and a function reads the stream.
resource "aws_dynamodb_table" "global" {
  name         = "global"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  attribute {
    name = "pk"
    type = "S"
  }

  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  replica {
    region_name = "us-east-1"
  }
}

resource "aws_lambda_event_source_mapping" "global" {
  event_source_arn  = aws_dynamodb_table.global.stream_arn
  function_name     = "on-change"
  starting_position = "LATEST"
}

# Auto scaling, with a schedule in a time zone.
resource "aws_dynamodb_table" "scaled" {
  name           = "scaled"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5
  write_capacity = 5
  hash_key       = "pk"

  attribute {
    name = "pk"
    type = "S"
  }
}

resource "aws_appautoscaling_target" "scaled" {
  service_namespace  = "dynamodb"
  resource_id        = "table/${aws_dynamodb_table.scaled.name}"
  scalable_dimension = "dynamodb:table:WriteCapacityUnits"
  min_capacity       = 5
  max_capacity       = 400
}

resource "aws_appautoscaling_policy" "scaled" {
  name               = "utilization"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.scaled.service_namespace
  resource_id        = aws_appautoscaling_target.scaled.resource_id
  scalable_dimension = aws_appautoscaling_target.scaled.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = 70

    predefined_metric_specification {
      predefined_metric_type = "DynamoDBWriteCapacityUtilization"
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "day" {
  name               = "day"
  service_namespace  = aws_appautoscaling_target.scaled.service_namespace
  resource_id        = aws_appautoscaling_target.scaled.resource_id
  scalable_dimension = aws_appautoscaling_target.scaled.scalable_dimension
  schedule           = "cron(0 8 * * ? *)"
  timezone           = "Europe/Berlin"

  scalable_target_action {
    min_capacity = 200
    max_capacity = 400
  }
}

resource "aws_appautoscaling_scheduled_action" "night" {
  name               = "night"
  service_namespace  = aws_appautoscaling_target.scaled.service_namespace
  resource_id        = aws_appautoscaling_target.scaled.resource_id
  scalable_dimension = aws_appautoscaling_target.scaled.scalable_dimension
  schedule           = "cron(0 20 * * ? *)"
  timezone           = "Europe/Berlin"

  scalable_target_action {
    min_capacity = 5
    max_capacity = 400
  }
}

# AWS Backup.
resource "aws_dynamodb_table" "kept" {
  name         = "kept"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  attribute {
    name = "pk"
    type = "S"
  }
}

resource "aws_backup_plan" "daily" {
  name = "daily"

  rule {
    rule_name         = "daily"
    target_vault_name = "vault"
    schedule          = "cron(0 5 ? * * *)"

    lifecycle {
      delete_after = 70
    }
  }
}

resource "aws_backup_selection" "kept" {
  name         = "kept"
  plan_id      = aws_backup_plan.daily.id
  iam_role_arn = "arn:aws:iam::111122223333:role/backup"
  resources    = [aws_dynamodb_table.kept.arn]
}

# A customer managed key.
resource "aws_dynamodb_table" "encrypted" {
  name         = "encrypted"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  attribute {
    name = "pk"
    type = "S"
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.own.arn
  }
}

resource "aws_kms_key" "own" {
  description = "own"
}
