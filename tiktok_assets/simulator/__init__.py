"""A seeded simulator of TikTok Studio: the truth about an account, and the exports Studio would make of it.

Belongs here: whatever pretends to be TikTok: ``account`` (what really happened, per UTC day), ``exports`` (the four
Studio ZIPs with every measured quirk as a switch), ``business_suite`` (the older CSV files).
Does not belong here: anything that reads exports. The simulator shares no code with the readers it is used to test, and
it does not import Dagster.
"""
