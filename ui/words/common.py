"""Words that several pages share: navigation, states, sidebar, tables, times."""

WORDS = {
    "product": ("Scouts Yango", "Yango scouts"),
    "section_operation": ("Operación", "Operations"),
    "section_cases": ("Casos", "Cases"),
    "section_money": ("Dinero", "Money"),
    "page_health": ("Salud de atribución", "Attribution health"),
    "page_alerts": ("Alertas", "Alerts"),
    "page_runs": ("Corridas", "Runs"),
    "page_conflicts": ("Conflictos", "Conflicts"),
    "page_backlog": ("Pendientes", "Backlog"),
    "page_persona": ("Persona", "Person"),
    "page_cobranza": ("Cobranza Yango", "Yango collection"),
    "page_liquidation": ("Liquidación", "Liquidation"),
    "page_scouts": ("Scouts", "Scouts"),
    "help_health": (
        "Cuánto está atribuido, qué está en conflicto, qué falta y por qué.",
        "How much is attributed, what is in conflict, what is missing and why.",
    ),
    "help_alerts": ("Lo que pide atención.", "What asks for attention."),
    "help_runs": ("Qué hizo el job y cuándo.", "What the job did, and when."),
    "help_conflicts": (
        "Personas cuya evidencia nombra scouts distintos.",
        "Persons whose evidence names different scouts.",
    ),
    "help_backlog": ("Personas sin scout, por motivo.", "Persons without a scout, by reason."),
    "help_persona": ("Todo lo que se sabe de una persona.", "All that is known of one person."),
    "help_cobranza": ("Claims por cobrar, con su scout.", "Claims to collect, with their scout."),
    "help_liquidation": ("Base para pagar a los scouts.", "Base for paying the scouts."),
    "help_scouts": ("Resultado de cada scout.", "How each scout does."),
    "state_OK": ("En orden", "All right"),
    "state_WARN": ("Atención", "Attention"),
    "state_FAIL": ("Falla", "Failing"),
    "state_STALE": ("Atrasado", "Late"),
    "state_UNKNOWN": ("Sin dato", "No data"),
    "state_RUNNING": ("En curso", "Running"),
    "state_LOST": ("Perdida", "Lost"),
    "state_COMPLETED": ("Completada", "Completed"),
    "state_FAILED": ("Falló", "Failed"),
    "data_at": ("Datos al {time}", "Data as of {time}"),
    "just_now": ("hace un momento", "just now"),
    "ago": ("hace {span}", "{span} ago"),
    "away_title": ("Atrasado: datos de las {time}", "Late: data of {time}"),
    "away_body": (
        "La base no responde desde las {since}. Esto es lo último leído.",
        "The database has not answered since {since}. This is what was read last.",
    ),
    "nothing_read_title": (
        "Sin dato: la base no responde",
        "No data: the database does not answer",
    ),
    "nothing_read_body": (
        "Aún no se había leído esta página. Se reintenta cada {seconds} s.",
        "This page had not been read yet. It is tried again every {seconds} s.",
    ),
    "trouble_title": ("No se puede mostrar esta página", "This page cannot be shown"),
    "not_installed_body": (
        "Falta instalar el producto en esta base: python -m scout_core init.",
        "The product is not installed on this database: python -m scout_core init.",
    ),
    "rows_hidden_title": ("La base oculta filas", "The database hides rows"),
    "rows_hidden_body": (
        "La seguridad por filas oculta filas de {tables}: no se muestra ni se cambia nada que dependa de ellas. `python -m scout_core doctor` dice qué hacer.",
        "Row level security hides rows of {tables}: nothing that rests on them is shown or changed. `python -m scout_core doctor` says what to do.",
    ),
    "sources_changed_title": ("Las fuentes cambiaron", "The sources have changed"),
    "sources_changed_body": (
        "Ya no son las tablas que se instalaron: {tables}. No se cambia nada hasta que el operador corra `python -m scout_core init`.",
        "They are other tables than at the installation: {tables}. Nothing is changed until the operator runs `python -m scout_core init`.",
    ),
    "cannot_be_kept": (
        "Esta base no puede guardar “{letter}” ({code}): su codificación es {encoding}. Escríbelo"
        " sin ese carácter.",
        "This database cannot keep “{letter}” ({code}): its encoding is {encoding}. Write it"
        " without that character.",
    ),
    "trouble_body": (
        "La base respondió, pero no con lo que se pidió. `python -m scout_core doctor` dice qué falta.",
        "The database answered, but not what was asked. `python -m scout_core doctor` says what is missing.",
    ),
    "failure_title": (
        "Algo falló al mostrar esta página",
        "Something failed while showing this page",
    ),
    "failure_body": (
        "Nada cambió en los datos. El registro lo guarda con el número {number}.",
        "No data was changed. The log keeps it under number {number}.",
    ),
    "bad_link_title": ("El enlace no se puede leer", "The link cannot be read"),
    "bad_link_body": (
        "Alguno de sus filtros no existe. Quita los filtros y vuelve a elegir.",
        "One of its filters does not exist. Clear the filters and choose again.",
    ),
    "clear_filters": ("Quitar filtros", "Clear filters"),
    "all": ("Todos", "All"),
    "previous_page": ("Anteriores", "Previous"),
    "next_page": ("Siguientes", "Next"),
    "rows_shown": ("{shown} de {total} filas", "{shown} of {total} rows"),
    "open_door": (
        "Sin inicio de sesión: solo esta máquina, todo permitido",
        "Nobody signs in: this machine only, everything allowed",
    ),
    "export_csv": ("Exportar {rows} filas en CSV", "Export {rows} rows as CSV"),
    "export_xlsx": ("Exportar {rows} filas en Excel", "Export {rows} rows to Excel"),
    "export_prepare": ("Exportar {rows} filas", "Export {rows} rows"),
    "sign_in_title": ("Entra para ver los datos.", "Sign in to see the data."),
    "sign_in": ("Entrar", "Sign in"),
    "sign_in_with": ("Entrar con {provider}", "Sign in with {provider}"),
    "sign_in_refused_title": ("No se pudo entrar", "You could not be signed in"),
    "sign_in_refused_body": (
        "El proveedor de identidad no confirmó quién eres. Vuelve a intentarlo; si sigue igual, "
        "avisa a quien administra la instalación.",
        "The identity provider did not confirm who you are. Try again; if it keeps happening, "
        "tell whoever runs this installation.",
    ),
    "sign_in_away_title": ("Ahora no se puede entrar", "You cannot sign in right now"),
    "sign_in_away_body": (
        "La base de datos no responde, y sin ella nadie puede entrar. Vuelve a intentarlo en un "
        "momento.",
        "The database does not answer, and without it nobody can sign in. Try again in a moment.",
    ),
    "session_over_title": ("Tu sesión terminó", "Your session has ended"),
    "session_over_body": (
        "Entra de nuevo y vuelves a esta misma página.",
        "Sign in again and you are back on this page.",
    ),
    "not_done_title": ("No se hizo nada", "Nothing was done"),
    "not_done_body": (
        "La base de datos no responde, así que no se puede comprobar tu sesión. Vuelve a "
        "intentarlo en un momento.",
        "The database does not answer, so your session cannot be checked. Try again in a moment.",
    ),
    "sign_out": ("Salir", "Sign out"),
    "role_viewer": ("Consulta", "Viewer"),
    "role_analyst": ("Analista", "Analyst"),
    "role_operator": ("Operador", "Operator"),
    "role_admin": ("Administrador", "Administrator"),
    "other_language": ("English", "Español"),
    "language": ("Idioma", "Language"),
}
