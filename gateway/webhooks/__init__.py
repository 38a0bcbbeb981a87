"""Webhooks: alerts posted to whoever asked for them, signed after the Standard Webhooks specification 1.0.0
(https://www.standardwebhooks.com), delivered at least once.
"""
