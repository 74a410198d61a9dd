"""Words of undoing a run."""

WORDS = {
    "show": ("Deshacer", "Undo"),
    "title": ("Deshacer esta corrida", "Undo this run"),
    "sentence": (
        "**Vuelven a lo que había antes: {undo}.** Se quedan porque alguien las cambió después: "
        "{later}. Ya estaban deshechas: {before}. Lo deshecho queda retenido hasta que alguien "
        "lo libere.",
        "**Go back to what was there before: {undo}.** Stay because somebody changed them later: "
        "{later}. Were undone already: {before}. What is undone is held until somebody releases "
        "it.",
    ),
    "nothing": (
        "Esta corrida no escribió nada que se pueda deshacer.",
        "This run wrote nothing that could be undone.",
    ),
    "is_erase": (
        "Borró a una persona: no se deshace, no quedó nada guardado.",
        "It erased a person, which is not undone: nothing of it was kept.",
    ),
    "is_undo": (
        "Es una reversión: no se deshace; libera lo retenido y la próxima corrida vuelve a juzgar.",
        "This is an undo, which is not undone: release what it holds and the next run judges anew.",
    ),
    "founded": (
        "De {count} personas que creó, se quitan {removable}; a las demás algo las nombra.",
        "Of {count} persons that it made, {removable} go; something refers to the others.",
    ),
    "founded_all": (
        "También se quitan las {count} personas que creó.",
        "The {count} persons that it made go too.",
    ),
    "paid": (
        "Por {count} de estas personas ya se pagaron {amount}. Deshacer no cambia esos pagos.",
        "{amount} were already paid for {count} of these persons. Undoing does not change that.",
    ),
    "column_what": ("Qué", "What"),
    "column_outcome": ("Qué pasa", "What happens"),
    "column_rows": ("Filas", "Rows"),
    "column_change": ("Cambio", "Change"),
    "column_who": ("Quién lo cambió", "Who changed it"),
    "subject_LEDGER": ("Scout en el ledger", "Scout in the ledger"),
    "subject_DECISION": ("Decisión", "Decision"),
    "subject_LINK": ("Enlace", "Link"),
    "subject_DISMISSAL": ("Fila apartada", "Row set aside"),
    "outcome_UNDO": ("Se deshace", "Is undone"),
    "outcome_CHANGED_LATER": ("Se queda: cambió después", "Stays: changed later"),
    "outcome_ALREADY_UNDONE": ("Ya estaba deshecha", "Was undone already"),
    "counts_alt": ("Qué se deshace y qué se queda", "What is undone and what stays"),
    "items": ("Una por una (hasta {count})", "One by one (up to {count})"),
    "items_alt": (
        "Cada cosa, su cambio, qué pasa y quién la cambió después",
        "Each thing, its change, what happens and who changed it later",
    ),
    "by_unknown": ("alguien, sin dejar huella", "somebody, without a trace"),
    "by_run": ("{actor}, corrida {run}", "{actor}, run {run}"),
    "reason": (
        "Por qué, de {least} a {most} caracteres",
        "Why, {least} to {most} characters",
    ),
    "bad_reason": (
        "El motivo necesita de {least} a {most} caracteres. No se deshizo nada.",
        "The reason needs {least} to {most} characters. Nothing was undone.",
    ),
    "do": ("Deshacer {count} cambios", "Undo {count} changes"),
    "do_one": ("Deshacer {count} cambio", "Undo {count} change"),
    "done": (
        "Corrida {run} deshecha por la corrida {by}: {undone} deshechas, {later} se quedaron, "
        "{held} retenidas.",
        "Run {run} undone by run {by}: {undone} undone, {later} stayed, {held} held.",
    ),
    "refused": ("No se deshizo nada", "Nothing was undone"),
    "not_allowed": (
        "Deshacen operadores y administradores.",
        "Operators and administrators undo.",
    ),
}
