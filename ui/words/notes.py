"""Words below the field of a reason, and of one that was refused."""

WORDS = {
    "short": (
        "Di por qué, en {least} a {most} caracteres que se vean.",
        "Say why, in {least} to {most} visible characters.",
    ),
    "personal_phone": (
        "Parece haber un teléfono, y esto se guarda para siempre: quítalo y nombra a la persona por su clave.",
        "There seems to be a phone number, and this is kept for good: take it out and name the person by their key.",
    ),
    "personal_document": (
        "Parece haber una licencia o un documento, y esto se guarda para siempre: quítalo y nombra a la persona por su clave.",
        "There seems to be a licence or document, and this is kept for good: take it out and name the person by their key.",
    ),
    "personal_email": (
        "Parece haber un correo electrónico, y esto se guarda para siempre: quítalo y nombra a la persona por su clave.",
        "There seems to be an e-mail address, and this is kept for good: take it out and name the person by their key.",
    ),
}
