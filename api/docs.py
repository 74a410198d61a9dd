"""/api/docs: the documentation that OpenAPI makes, from this server only."""

from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

router = APIRouter(include_in_schema=False)

# Swagger UI as fastapi-offline carries it; a page from another server would not pass our policy
_ASSETS = files("fastapi_offline") / "static"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Scout attribution API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
});
"""
_KEPT = {"cache-control": "public, max-age=86400"}


@router.get("/docs")
def page() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE)


@router.get("/docs/start.js")
def start() -> Response:
    """What starts it: a file, as the policy allows no script within a page."""
    return Response(_START, media_type="text/javascript")


@router.get("/docs/swagger-ui-bundle.js")
def script() -> Response:
    """Its program."""
    text = (_ASSETS / "swagger-ui-bundle.js").read_bytes()
    return Response(text, media_type="text/javascript", headers=_KEPT)


@router.get("/docs/swagger-ui.css")
def style() -> Response:
    """Its style."""
    return Response((_ASSETS / "swagger-ui.css").read_bytes(), media_type="text/css", headers=_KEPT)
