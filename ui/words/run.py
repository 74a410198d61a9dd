"""Words of the run card in the sidebar."""

WORDS = {
    "now": ("Ejecutar ahora", "Run now"),
    "none": ("Aún no hay ninguna corrida", "No run yet"),
    "changes": ("{count} cambios", "{count} changes"),
    "changes_one": ("{count} cambio", "{count} change"),
    "no_changes": ("Sin cambios", "No changes"),
    "by": ("por {actor}", "by {actor}"),
    "next_at": ("próxima a las {time}", "next at {time}"),
    "late": ("debió correr a las {time}", "was due at {time}"),
    "step": ("Paso {step} de {steps}: {name}", "Step {step} of {steps}: {name}"),
    "step_others": ("sellar lo de otros", "seal what others wrote"),
    "step_plan": ("planear", "plan"),
    "step_link": ("vincular", "link"),
    "step_propagate": ("propagar", "propagate"),
    "step_record": ("registrar", "record"),
    "step_seal": ("sellar", "seal"),
    "busy_help": (
        "La corrida {run_id} está en curso, iniciada por {actor}.",
        "Run {run_id} is in progress, started by {actor}.",
    ),
    "role_help": (
        "Tu rol ({role}) no ejecuta el job: pídelo a un operador.",
        "Your role ({role}) does not run the job: ask an operator.",
    ),
    "away_help": ("La base no responde.", "The database does not answer."),
    "read_only_help": (
        "La base es de solo lectura (una réplica): la corrida empieza donde está la principal.",
        "The database is read-only (a replica): start the run where the primary is.",
    ),
    "now_help": (
        "Vincula identidades y escribe los scouts que no admiten duda. No paga a nadie.",
        "Links identities and writes the scouts that leave no doubt. Pays nobody.",
    ),
    "started": ("Corrida pedida.", "Run requested."),
    "done": ("Corrida {run_id}: {changes}.", "Run {run_id}: {changes}."),
    "failed": ("La corrida falló: {reason}", "The run failed: {reason}"),
    "refused_busy": (
        "La corrida {run_id} ya está en curso: no se inició otra.",
        "Run {run_id} is already in progress: no other was started.",
    ),
    "refused": ("No se ejecutó: {reason}", "Not run: {reason}"),
    "health": ("Salud", "Health"),
}
