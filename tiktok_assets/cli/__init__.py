"""The command ``tiktok-assets``: one module per group of commands."""
