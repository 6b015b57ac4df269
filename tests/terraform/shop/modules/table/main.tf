variable "name" { type = string }
variable "read" { type = number }
variable "write" { type = number }
variable "indexes" {
  type    = list(string)
  default = []
}

resource "aws_dynamodb_table" "this" {
  name           = var.name
  billing_mode   = "PROVISIONED"
  read_capacity  = var.read
  write_capacity = var.write
  hash_key       = "pk"

  attribute {
    name = "pk"
    type = "S"
  }

  dynamic "attribute" {
    for_each = var.indexes
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.indexes
    content {
      name            = "by-${global_secondary_index.value}"
      hash_key        = global_secondary_index.value
      projection_type = "KEYS_ONLY"
      read_capacity   = 2
      write_capacity  = 2
    }
  }
}

output "name" { value = aws_dynamodb_table.this.name }
