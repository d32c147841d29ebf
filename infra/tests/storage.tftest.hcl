mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "bench"
}

run "a_created_bucket_is_closed_encrypted_and_goes_with_the_stack" {
  module {
    source = "./modules/storage"
  }

  assert {
    condition     = aws_s3_bucket.payloads[0].bucket == "bench-123456789012-eu-west-1" && aws_s3_bucket.payloads[0].force_destroy
    error_message = "name with account and region; destroy takes what is in it"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.payloads[0].block_public_acls,
      aws_s3_bucket_public_access_block.payloads[0].block_public_policy,
      aws_s3_bucket_public_access_block.payloads[0].ignore_public_acls,
      aws_s3_bucket_public_access_block.payloads[0].restrict_public_buckets,
    ])
    error_message = "nothing of it is public"
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.payloads[0].rule[*].apply_server_side_encryption_by_default[0].sse_algorithm) == "AES256"
    error_message = "S3's own keys"
  }

  assert {
    condition     = output.sse == "s3" && output.kms_key_arn == null && !output.encrypts_with_key && length(aws_kms_key.payloads) == 0
    error_message = "without a key, none is named or made"
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.payloads[0].policy).Statement == [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::bench-123456789012-eu-west-1", "arn:aws:s3:::bench-123456789012-eu-west-1/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "the policy denies what comes without TLS, and allows nothing"
  }
}

run "payloads_expire_and_metrics_stay" {
  module {
    source = "./modules/storage"
  }

  variables {
    payload_expiry_days = 3
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.payloads[0].rule : [rule.id, rule.filter[0].tag[0].key, rule.filter[0].tag[0].value, rule.expiration[0].days]
      if length(rule.expiration) > 0
    ] == [["payloads-expire", "stepbench", "payload", 3]]
    error_message = "only objects with the tag of payloads expire"
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.payloads[0].rule : rule.abort_incomplete_multipart_upload[0].days_after_initiation if length(rule.abort_incomplete_multipart_upload) > 0] == [1]
    error_message = "broken-off uploads are removed after a day"
  }
}

run "a_created_key_encrypts_and_is_rotated" {
  module {
    source = "./modules/storage"
  }

  variables {
    create_kms_key = true
  }

  assert {
    condition     = aws_kms_key.payloads[0].enable_key_rotation && output.kms_key_arn == aws_kms_key.payloads[0].arn && output.sse == "kms" && output.encrypts_with_key
    error_message = "the key is told"
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.payloads[0].rule[*].apply_server_side_encryption_by_default[0].kms_master_key_id) == aws_kms_key.payloads[0].arn
    error_message = "the bucket's default is the key"
  }
}

run "a_given_bucket_and_key_are_left_as_they_are" {
  module {
    source = "./modules/storage"
  }

  variables {
    bucket_name = "company-benchmarks"
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
  }

  override_data {
    target = data.aws_s3_bucket.given
    values = { id = "company-benchmarks", region = "eu-west-1" }
  }

  assert {
    condition = 0 == sum([
      length(aws_s3_bucket.payloads),
      length(aws_s3_bucket_public_access_block.payloads),
      length(aws_s3_bucket_ownership_controls.payloads),
      length(aws_s3_bucket_server_side_encryption_configuration.payloads),
      length(aws_s3_bucket_policy.payloads),
      length(aws_s3_bucket_lifecycle_configuration.payloads),
      length(aws_kms_key.payloads),
    ])
    error_message = "nothing about a given bucket or key is made or changed"
  }

  assert {
    condition     = output.bucket == "company-benchmarks" && output.bucket_arn == "arn:aws:s3:::company-benchmarks"
    error_message = "the given bucket is told"
  }

  assert {
    condition     = output.kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/1" && output.sse == "kms"
    error_message = "the given key is told"
  }
}

run "a_given_bucket_without_a_key_says_nothing_of_encryption" {
  module {
    source = "./modules/storage"
  }

  variables {
    bucket_name = "company-benchmarks"
  }

  assert {
    condition     = output.sse == null
    error_message = "its own default decides"
  }
}

run "a_given_bucket_of_another_region_is_refused" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket_name = "company-benchmarks"
  }

  override_data {
    target = data.aws_s3_bucket.given
    values = { id = "company-benchmarks", region = "us-east-1" }
  }

  expect_failures = [data.aws_s3_bucket.given]
}

run "wrong_values_are_refused" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    name                = "-"
    bucket_name         = "Upper"
    kms_key_arn         = "alias/mine"
    payload_expiry_days = 0.5
  }

  expect_failures = [var.name, var.bucket_name, var.kms_key_arn, var.payload_expiry_days]
}

run "a_key_is_given_or_made_and_not_both" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    kms_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/1"
    create_kms_key = true
  }

  expect_failures = [var.kms_key_arn]
}
