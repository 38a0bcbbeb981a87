"""Webhooks: alerts that are posted to whoever asked for them, signed after the Standard Webhooks specification
(https://www.standardwebhooks.com), delivered at least once.
"""
