output "bucket" {
  description = "Name of the bucket, given or created."
  value       = local.create_bucket ? aws_s3_bucket.payloads[0].bucket : data.aws_s3_bucket.given[0].id
}

output "bucket_arn" {
  description = "ARN of the bucket, given or created."
  value       = local.bucket_arn
}

output "kms_key_arn" {
  description = "ARN of the key that payloads are encrypted with; null where S3's own keys are used."
  value       = local.key_arn
}

output "encrypts_with_key" {
  description = "Whether payloads are encrypted with a KMS key, given or created."
  value       = local.with_key
}

output "sse" {
  description = "Value of the setting SSE: kms with a key, s3 for a created bucket without one, null for a given bucket without one."
  value       = local.with_key ? "kms" : local.create_bucket ? "s3" : null
}
