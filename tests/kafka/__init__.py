"""The proof under faults: load, faults, and an auditor that shares no code with what it audits."""
