"""The REST API: routes over scout_core, served beside the pages under /api."""

# where monitors look, at the root of the server
MONITOR_PATHS = ("/livez", "/readyz", "/health", "/metrics")
