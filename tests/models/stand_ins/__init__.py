"""Models of other people as remote code: small, with the names and shapes of parameters that their code publishes.

Each file is what a checkpoint would bring along. Their attention goes through transformers' `AttentionInterface`.
"""
