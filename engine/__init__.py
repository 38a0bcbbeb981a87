"""What runs: admission, the pipeline, the worker loop, snapshots."""
