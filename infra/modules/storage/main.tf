data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  create_bucket = var.bucket_name == null
  # Bucket names are of the whole world: account and region keep two stacks apart.
  bucket     = local.create_bucket ? "${var.name}-${data.aws_caller_identity.current.account_id}-${data.aws_region.current.name}" : var.bucket_name
  bucket_arn = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket}"
  key_arn    = var.create_kms_key ? aws_kms_key.payloads[0].arn : var.kms_key_arn
  with_key   = var.create_kms_key || var.kms_key_arn != null
}

# A given bucket has to be there, and to be readable, before anything is made that relies on it.
data "aws_s3_bucket" "given" {
  count = local.create_bucket ? 0 : 1

  bucket = var.bucket_name

  lifecycle {
    # From another region every payload would be paid for, and the stack's own VPC has no way there.
    postcondition {
      condition     = self.region == data.aws_region.current.name
      error_message = "bucket_name: ${var.bucket_name} is in ${self.region} and the stack is in ${data.aws_region.current.name}; give a bucket of the stack's region, or leave it out."
    }
  }
}

resource "aws_s3_bucket" "payloads" {
  #checkov:skip=CKV_AWS_18:an access log would be written for every request that is measured, into a bucket that outgrows this one
  #checkov:skip=CKV_AWS_21:no key is ever written twice; old versions would be paid for after the payloads expired
  #checkov:skip=CKV_AWS_144:payloads are made anew by any run
  #checkov:skip=CKV2_AWS_62:nothing listens for new payloads but the queue that tells of them
  count = local.create_bucket ? 1 : 0

  bucket = local.bucket
  # What it holds was made by runs of this stack; `destroy` leaves nothing behind.
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "payloads" {
  count = local.create_bucket ? 1 : 0

  bucket                  = aws_s3_bucket.payloads[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "payloads" {
  count = local.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.payloads[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "payloads" {
  count = local.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.payloads[0].id

  rule {
    # One call to KMS for many objects, in place of one for each.
    bucket_key_enabled = local.with_key

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.with_key ? "aws:kms" : "AES256"
      kms_master_key_id = local.key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "payloads" {
  count = local.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.payloads[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # Both calls change who may do what, and S3 refuses one that comes while the other is under way.
  depends_on = [aws_s3_bucket_public_access_block.payloads]
}

resource "aws_s3_bucket_lifecycle_configuration" "payloads" {
  count = local.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.payloads[0].id

  # Payloads carry a tag, and copies of metrics files carry none: those are kept.
  rule {
    id     = "payloads-expire"
    status = "Enabled"

    filter {
      tag {
        key   = "stepbench"
        value = "payload"
      }
    }

    expiration {
      days = var.payload_expiry_days
    }
  }

  # S3 takes no tag filter for this action, and it harms nothing but uploads that were broken off.
  rule {
    id     = "broken-off-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_kms_key" "payloads" {
  count = var.create_kms_key ? 1 : 0

  description             = "Payloads of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  # The account's own IAM policies decide who uses the key, as with KMS's default policy.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AccountDecides"
      Effect    = "Allow"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}
