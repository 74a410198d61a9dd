"""Words of deciding, wherever it is done."""

WORDS = {
    "question": ("¿Quién trajo a esta persona?", "Who brought this person?"),
    "choice_scout": ("Scout {scout}", "Scout {scout}"),
    "choice_none": ("Ningún scout", "No scout"),
    "choice_other": ("Otro scout", "Another scout"),
    "choice_reopen": ("Reabrir la decisión", "Reopen the decision"),
    "choose": (
        "Elige según la evidencia de arriba; se pide un motivo y queda para siempre.",
        "Choose by the evidence above; a reason is asked for and kept for good.",
    ),
    "choose_anyway": (
        "No hay conflicto abierto. Decide solo si sabes algo que las fuentes no dicen.",
        "No conflict is open. Decide only if you know what the sources do not say.",
    ),
    "other_scout": ("Otro scout de la lista", "Another scout of the list"),
    "code": ("Motivo", "Reason"),
    "code_FIRST_TO_REGISTER": ("La registró primero", "Registered the person first"),
    "code_NEWEST_EVIDENCE": ("Su evidencia es la más nueva", "Has the newest evidence"),
    "code_STRONGER_SOURCE": ("Su fuente pesa más", "Has the stronger source"),
    "code_CONFIRMED_BY_PERSON": ("La persona lo confirmó", "The person confirmed it"),
    "code_CONFIRMED_BY_SCOUTS": ("Los scouts se pusieron de acuerdo", "The scouts agreed"),
    "code_OTHER_EVIDENCE_WRONG": ("La otra evidencia es un error", "The other evidence is wrong"),
    "code_DOCUMENT_SHOWN": ("Mostró un documento", "A document was shown"),
    "code_ORDERED_BY_SUPERVISOR": ("Lo ordenó el supervisor", "The supervisor ordered it"),
    "code_CAME_ALONE": ("Vino por su cuenta", "Came without a scout"),
    "code_EVIDENCE_INVALID": ("La evidencia no vale", "The evidence is not valid"),
    "code_SAME_PERSON_TWICE": ("Es la misma persona dos veces", "It is the same person twice"),
    "code_DECIDED_BY_MISTAKE": ("Se decidió por error", "It was decided by mistake"),
    "code_NEW_INFORMATION": ("Hay información nueva", "There is new information"),
    "code_OTHER": ("Otro, dicho en la nota", "Another one, told in the note"),
    "note": (
        "Nota, de {least} a {most} caracteres, sin teléfonos ni licencias",
        "Note, {least} to {most} characters, no phones or licences",
    ),
    "bad_note": (
        "La nota tiene que decir por qué, en {least} a {most} caracteres. No se escribió nada.",
        "The note has to say why, in {least} to {most} characters. Nothing was written.",
    ),
    "do_ASSIGN": ("Asignar al scout {scout}", "Assign scout {scout}"),
    "do_ASSIGN_nobody": ("Elige al otro scout", "Choose the other scout"),
    "do_NO_SCOUT": ("Decidir sin scout", "Decide for no scout"),
    "do_REOPEN": ("Reabrir la decisión", "Reopen the decision"),
    "what_happens": (
        "Vale hasta que aparezca evidencia nueva o alguien la reabra; el job no la cambia. Si la "
        "evidencia cambió mientras mirabas, se rechaza.",
        "It stands until new evidence appears or somebody reopens it; the job leaves it alone. If "
        "the evidence changed while you looked, it is refused.",
    ),
    "paid": (
        "Por esta persona ya se pagaron {amount} en la liquidación. Decidir no cambia ese pago.",
        "{amount} were already paid for this person. Deciding does not change that payment.",
    ),
    "not_allowed": (
        "Tu rol solo mira: deciden analistas, operadores y administradores.",
        "Your role only looks: analysts, operators and administrators decide.",
    ),
    "done_ASSIGN": ("Persona {person}: scout {scout}.", "Person {person}: scout {scout}."),
    "done_NO_SCOUT": (
        "Persona {person}: sin scout.",
        "Person {person}: no scout.",
    ),
    "done_REOPEN": (
        "Persona {person}: decisión reabierta.",
        "Person {person}: decision reopened.",
    ),
    "see_run": ("Corrida {run}: ver o deshacer", "Run {run}: look or undo"),
    "changed_title": ("Cambió mientras mirabas", "It changed while you looked"),
    "changed_body": (
        "Llegó evidencia o alguien decidió antes: no se escribió nada. Lo que ves ahora es lo "
        "nuevo; vuelve a decidir con eso.",
        "Evidence came or somebody decided first: nothing was written. What you see now is the "
        "new state; decide again with it.",
    ),
    "refused": ("No se escribió nada", "Nothing was written"),
    "bulk": ("Decidir varios: los {count} de esta página", "Decide several: the {count} shown"),
    "bulk_question": ("¿Qué decides para ellos?", "What do you decide for them?"),
    "bulk_hint": (
        "Solo se deciden los que califican, con un motivo y una corrida; se deshacen juntos.",
        "Only those that qualify are decided, with one reason and run; they are undone together.",
    ),
    "bulk_ready": ("**{ready} de {total} califican.**", "**{ready} of {total} qualify.**"),
    "bulk_paid": (
        "Por {count} de ellas ya se pagaron {amount}. Decidir no cambia esos pagos.",
        "{amount} were already paid for {count} of them. Deciding does not change that.",
    ),
    "bulk_scouts": ("Scouts que la reclaman", "Scouts that claim it"),
    "bulk_outcome": ("Qué pasa", "What happens"),
    "bulk_alt": (
        "Personas, scouts y si califican para la decisión",
        "Persons, scouts and whether they qualify for the decision",
    ),
    "bulk_do": ("Resolver {count} conflictos", "Resolve {count} conflicts"),
    "bulk_do_one": ("Resolver {count} conflicto", "Resolve {count} conflict"),
    "bulk_done": (
        "{count} conflictos resueltos, {skipped} sin tocar.",
        "{count} conflicts resolved, {skipped} left.",
    ),
    "qualifies": ("Se decide", "Is decided"),
    "why_not_NOT_REGISTERED": ("Ya no está registrada", "Is no longer registered"),
    "why_not_NOT_IN_EVIDENCE": ("Ninguna evidencia lo nombra", "No evidence names this scout"),
    "why_not_UNKNOWN_SCOUT": ("El scout no está en la lista", "The scout is not in the list"),
    "why_not_ALREADY_DECIDED": ("Ya está decidida así", "Is decided so already"),
    "why_not_NOTHING_TO_REOPEN": ("No hay decisión que reabrir", "There is nothing to reopen"),
    "why_not_NO_OPEN_CONFLICT": ("No tiene conflicto abierto", "Has no open conflict"),
    "held": (
        ":material/front_hand: Retenida por la corrida {run}: {reason}",
        ":material/front_hand: Held by run {run}: {reason}",
    ),
    "release_reason": (
        "Por qué se libera, {least} caracteres o más",
        "Why it is released, {least} characters or more",
    ),
    "release": ("Liberar", "Release"),
    "released": (
        "Liberada: la próxima corrida la vuelve a juzgar.",
        "Released: the next run judges it again.",
    ),
}
