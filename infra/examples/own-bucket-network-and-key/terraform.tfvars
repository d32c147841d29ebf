# Into what a company already has: its bucket, its VPC, its key, its permissions boundary. All of these are kept by
# `terraform destroy`, and nothing about them is changed. Put your own values in.

name = "shared"

allowed_account_ids = ["123456789012"]

bucket_name = "company-benchmarks"
prefix      = "stepbench/runs/"
kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"

vpc_id     = "vpc-0123456789abcdef0"
subnet_ids = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]

permissions_boundary_arn = "arn:aws:iam::123456789012:policy/engineers"
results_queue            = true

tags = {
  team = "platform"
}
