"""Words of the checks of the sources."""

WORDS = {
    "view": ("Qué mirar", "What to look at"),
    "view_alerts": ("Alertas", "Alerts"),
    "view_quality": ("Calidad de las fuentes", "Quality of the sources"),
    "total": ("{count} filas encontradas", "{count} rows found"),
    "title": ("Revisiones de las fuentes", "Checks of the sources"),
    "intro": (
        "Cada revisión corre una vez al día; la última, {time}. Cada número abre sus filas.",
        "Each check runs once a day; the last one {time}. Each number opens its rows.",
    ),
    "never": ("Las fuentes aún no se revisaron.", "The sources were not checked yet."),
    "never_hint": (
        "El servidor lo hace una vez al día, y cada corrida desde la línea de comandos.",
        "The server does it once a day, and so does each run from the command line.",
    ),
    "run": ("Revisar ahora", "Check now"),
    "ran": (
        "{checks} revisiones hechas: {count} filas encontradas.",
        "{checks} checks done: {count} rows found.",
    ),
    "not_run": ("Las fuentes no se revisaron", "The sources were not checked"),
    "failed": ("No se pudo revisar el {time}", "Could not be checked on {time}"),
    "overview_alt": (
        "Revisiones con su número de filas y qué hacer",
        "Checks with their number of rows and what to do",
    ),
    "overview_hint": (
        "Elige una fila para abrir las suyas.",
        "Choose a row to open what it counts.",
    ),
    "column_check": ("Revisión", "Check"),
    "column_rows": ("Filas", "Rows"),
    "column_change": ("Cambio", "Change"),
    "column_state": ("Estado", "State"),
    "column_next": ("Próxima acción", "Next action"),
    "column_row": ("Fila", "Row"),
    "column_detail": ("Detalle", "Detail"),
    "column_person": ("Persona", "Person"),
    "column_day": ("Día", "Day"),
    "column_source": ("Tabla", "Table"),
    "column_found": ("Encontrada desde", "Found since"),
    "state_OK": ("En orden", "All right"),
    "state_INFO": ("Para saber", "To know"),
    "state_WARN": ("Atención", "Attention"),
    "state_FAIL": ("Falla", "Failure"),
    "state_FAILED": ("No se pudo revisar", "Could not be checked"),
    "state_UNKNOWN": ("Sin dato", "No data"),
    "rows_of": ("{check}: {count}", "{check}: {count}"),
    "rows_none": ("No encontró ninguna fila.", "It found no row."),
    "rows_alt": ("Filas que encontró la revisión", "Rows that the check found"),
    "rows_hint": (
        "Elige una fila con persona para ver su historia.",
        "Choose a row with a person to see the history.",
    ),
    "close": ("Cerrar", "Close"),
    "sort": ("Orden", "Order"),
    "sort_newest": ("Lo más nuevo", "Newest"),
    "sort_oldest": ("Lo más antiguo", "Oldest"),
    "name_ancient_dates": ("Fechas de antes de empezar", "Dates from before the start"),
    "name_duplicate_scouting_rows": ("Filas de scouting repetidas", "Repeated scouting rows"),
    "name_future_dates": ("Fechas futuras", "Dates still to come"),
    "name_impossible_dates": ("Fechas imposibles", "Impossible dates"),
    "name_licenses_that_are_none": (
        "Licencias que no lo son",
        "Licences that are none",
    ),
    "name_odd_payloads": ("Payloads extraños", "Odd payloads"),
    "name_payments_to_others": ("Pagos a otro scout", "Payments to another scout"),
    "name_phones_that_are_none": ("Teléfonos que no lo son", "Phones that are none"),
    "name_repeated_payment_rules": ("Reglas de pago repetidas", "Repeated payment rules"),
    "name_shared_phones": ("Teléfonos compartidos", "Shared phones"),
    "name_unknown_scouts": ("Scouts fuera de la lista", "Scouts not in the list"),
    "name_unreadable_scouts": ("Scouts ilegibles", "Unreadable scouts"),
    "name_volume_drops": ("Caídas de volumen", "Drops in volume"),
    "finds_ancient_dates": (
        "Una fila tiene una fecha de antes de que la flota existiera, como las que deja una celda"
        " vacía.",
        "A row has a date from before the fleet began, as an empty cell leaves it.",
    ),
    "finds_duplicate_scouting_rows": (
        "Una fila de scouting dice lo mismo que otra anterior: el mismo scout, licencia, teléfono"
        " y día.",
        "A scouting row says what an earlier one says: the same scout, licence, phone and day.",
    ),
    "finds_future_dates": (
        "Una fila tiene una fecha que aún no llega.",
        "A row has a date that is still to come.",
    ),
    "finds_impossible_dates": (
        "Una fila tiene una fecha fuera de 1900 a 2199: cuenta como si no tuviera.",
        "A row has a date outside 1900 to 2199: it counts as none.",
    ),
    "finds_licenses_that_are_none": (
        "Donde va la licencia hay algo que no puede serlo, como “NO TIENE” o “S/N”.",
        "Where the licence goes stands something that can be none, as “NO TIENE” or “S/N”.",
    ),
    "finds_odd_payloads": (
        "El payload de un evento no es un objeto, es demasiado grande o tiene una clave parecida a"
        " scout_id.",
        "The payload of an event is no object, is too large, or has a key similar to scout_id.",
    ),
    "finds_payments_to_others": (
        "Se pagó a un scout por una persona cuyo scout es otro.",
        "A scout was paid for a person whose scout is another one.",
    ),
    "finds_phones_that_are_none": (
        "Donde va el teléfono hay algo que no puede serlo, como un número extranjero o dos en una"
        " celda.",
        "Where the phone goes stands something that can be none, as a foreign number or two in one"
        " cell.",
    ),
    "finds_repeated_payment_rules": (
        "Hay varias reglas de pago activas para el mismo origen e hito: nadie tiene monto por"
        " ellas.",
        "Several payment rules are active for the same origin and milestone: nobody has an amount"
        " by them.",
    ),
    "finds_shared_phones": (
        "Varias personas tienen un mismo teléfono: no identifica a ninguna.",
        "Several persons have one phone: it identifies none of them.",
    ),
    "finds_unknown_scouts": (
        "Una fila nombra a un scout que la lista no tiene: su persona queda en espera.",
        "A row names a scout whom the list does not have: its person is held back.",
    ),
    "finds_unreadable_scouts": (
        "Una fila nombra a un scout que no se puede leer: su persona queda en espera.",
        "A row names a scout that cannot be read: its person is held back.",
    ),
    "finds_volume_drops": (
        "Una fuente trajo menos de la mitad de lo usual en su último día completo.",
        "A source brought less than half of the usual on its last whole day.",
    ),
    "next_OK": ("Ninguna", "None"),
    "next_FAILED": ("Revisar otra vez", "Check again"),
    "next_ancient_dates": ("Corregir la fecha en la fuente", "Correct the date in the source"),
    "next_duplicate_scouting_rows": (
        "Quitar las repetidas de la fuente",
        "Take the repeated ones out of the source",
    ),
    "next_future_dates": ("Corregir la fecha en la fuente", "Correct the date in the source"),
    "next_impossible_dates": ("Corregir la fecha en la fuente", "Correct the date in the source"),
    "next_licenses_that_are_none": (
        "Pedir la licencia al scout, o dejarla vacía",
        "Ask the scout for the licence, or leave it empty",
    ),
    "next_odd_payloads": ("Avisar a quien carga eventos", "Tell who loads the events"),
    "next_payments_to_others": (
        "Ver quién trajo a la persona; corregir el pago o el scout",
        "See who brought the person; correct the payment or the scout",
    ),
    "next_phones_that_are_none": (
        "Pedir el teléfono al scout, o dejarlo vacío",
        "Ask the scout for the phone, or leave it empty",
    ),
    "next_repeated_payment_rules": (
        "Dejar activa una sola regla",
        "Leave one rule active only",
    ),
    "next_shared_phones": (
        "Ver si son la misma persona o corregir el teléfono",
        "See whether they are one person, or correct the phone",
    ),
    "next_unknown_scouts": (
        "Agregarlo a la lista o corregir la fila",
        "Add it to the list, or correct the row",
    ),
    "next_unreadable_scouts": ("Corregir el scout en la fuente", "Correct the scout in the source"),
    "next_volume_drops": ("Preguntar a quien carga la fuente", "Ask who loads the source"),
    "fact_column": ("columna", "column"),
    "fact_first_row": ("primera fila", "first row"),
    "fact_paid_scout": ("scout pagado", "scout paid"),
    "fact_persons": ("personas", "persons"),
    "fact_phones": ("teléfonos", "phones"),
    "fact_rows": ("filas", "rows"),
    "fact_with": ("con", "with"),
    "fact_rules": ("reglas", "rules"),
    "fact_scout": ("scout", "scout"),
    "fact_usual": ("usual", "usual"),
}
