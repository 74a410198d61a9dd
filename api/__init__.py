"""The REST API: routes over scout_core, served beside the pages under /api."""
