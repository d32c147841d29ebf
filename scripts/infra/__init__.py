"""What infra/ has from elsewhere, written there and held equal: the IAM policies, and the tables of its READMEs."""
