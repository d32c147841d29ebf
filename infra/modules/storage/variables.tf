variable "name" {
  description = "Name of the stack: the created bucket and key are called after it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "bucket_name" {
  description = "Bucket of your own for the payloads. It is kept, and nothing about it is changed. Null: one is made, and destroyed with all that is in it."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "create_kms_key" {
  description = "Make a KMS key for the payloads, in place of the encryption with S3's own keys."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "KMS key of your own for the payloads. It is kept."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID (an alias cannot stand in a policy)."
  }

  validation {
    condition     = var.kms_key_arn == null || !var.create_kms_key
    error_message = "kms_key_arn and create_kms_key exclude each other: give a key, or have one made."
  }
}

variable "payload_expiry_days" {
  description = "Payloads in the created bucket are deleted after so many days. Metrics files stay."
  type        = number
  default     = 7

  validation {
    condition     = var.payload_expiry_days >= 1 && floor(var.payload_expiry_days) == var.payload_expiry_days
    error_message = "payload_expiry_days must be a whole number, at least 1."
  }
}
