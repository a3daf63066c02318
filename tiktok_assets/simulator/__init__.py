"""A seeded look-alike of TikTok Studio: what is true of an account, and the exports Studio would make of it.

Here belongs whatever pretends to be TikTok: ``account`` (what really happened, per UTC day), ``exports`` (the four
Studio ZIPs with every measured quirk as a switch), ``business_suite`` (the older CSV files).
Here does not belong anything that reads exports: the simulator shares no code with the readers it is used to test,
and it imports no Dagster.
"""
