"""Words of the pages that the server shows instead of what was asked for."""

WORDS = {
    "not_found_title": ("Aquí no hay ninguna página", "There is no page here"),
    "not_found_body": (
        "La dirección no existe. Revísala, o empieza por la primera página.",
        "Nothing has this address. Check it, or start from the first page.",
    ),
    "back": ("Ir a la primera página", "Go to the first page"),
    "host_title": (
        "Este servidor no se conoce por ese nombre",
        "This server does not know that name",
    ),
    "host_body": (
        "La petición nombra otro servidor. Si el nombre es el de este, quien lo administra lo agrega a server.allowedHosts en .streamlit/config.toml; el log dice qué nombre fue.",
        "The request names another server. If it is the name of this one, its operator adds it to server.allowedHosts in .streamlit/config.toml; the log has the name.",
    ),
    "setup_title": ("El inicio de sesión está mal configurado", "Sign-in is set up wrongly"),
    "setup_body": (
        "Por seguridad, nada se muestra hasta corregirlo. Quien administra el servidor: revisa [auth] en .streamlit/secrets.toml y reinicia; el log dice qué falta.",
        "To be safe, nothing is shown until this is fixed. For the operator: check [auth] in .streamlit/secrets.toml and restart; the log says what is wrong.",
    ),
    "proxy_title": (
        "Nadie inicia sesión, y la petición llegó por un proxy",
        "Nobody signs in, and this came through a proxy",
    ),
    "proxy_body": (
        "Sin inicio de sesión, quien llega puede hacer todo; por eso el servidor solo atiende a quien está en esta misma máquina. Esta petición la pasó otro programa (se nota por: {sign}). Configura el inicio de sesión en .streamlit/secrets.toml (el ejemplo secrets.toml.example lo explica), o abre la página en la máquina misma, sin el proxy.",
        "Without sign-in, whoever gets here may do everything, so the server answers only people at this machine. Another program passed this request on (it shows by: {sign}). Set up sign-in in .streamlit/secrets.toml (secrets.toml.example explains it), or open the page on the machine itself, without the proxy.",
    ),
    "address_title": (
        "Nadie inicia sesión: solo esta máquina",
        "Nobody signs in: this machine only",
    ),
    "address_body": (
        "Sin inicio de sesión, el servidor solo atiende en 127.0.0.1. Configura el inicio de sesión en .streamlit/secrets.toml (el ejemplo secrets.toml.example lo explica).",
        "Without sign-in, the server answers on 127.0.0.1 only. Set up sign-in in .streamlit/secrets.toml (secrets.toml.example explains it).",
    ),
    "origin_title": ("Esto lo envía la página de otro sitio", "Another site's page sends this"),
    "origin_body": (
        "Solo las páginas de este servidor pueden conectarse o enviar algo. Detrás de un proxy: debe pasar el Host tal como llega, y redirect_uri o SCOUT_PUBLIC_URL deben tener la dirección que ve el navegador.",
        "Only pages of this server may connect or send anything. Behind a proxy: it must pass the Host on unchanged, and redirect_uri or SCOUT_PUBLIC_URL must be the address that the browser shows.",
    ),
    "metrics_title": ("Solo para esta máquina", "For this machine only"),
    "metrics_body": (
        "Estas métricas se leen en la máquina del servidor, sin proxy.",
        "These metrics are read on the machine of the server, without a proxy.",
    ),
    "blocked_title": ("La página no logra conectarse", "The page cannot connect"),
    "blocked_body": (
        "El servidor o un proxy delante de él no acepta la conexión (websocket) que la página necesita. Quien lo administra: el proxy debe pasar Upgrade y el Host tal como llega; el log del servidor dice si la rechazó y por qué.",
        "The server, or a proxy in front of it, does not accept the connection (websocket) that the page needs. For the operator: the proxy must pass on Upgrade and the Host unchanged; the server's log says whether it was refused, and why.",
    ),
}
