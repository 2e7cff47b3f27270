"""What the columns of people files are called: in English, German, French, Spanish and a little Italian, Dutch and Portuguese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

ID = "id"
WORDS: Mapping[str, Mapping[str, str]] = {
    ID: {
        "en": "employeenumber employeeid employeeno empid empno personnelnumber personid personnumber workerid staffid"
        " staffnumber payrollnumber payrollid associateid uid uuid guid externalid memberid studentid userid id",
        "de": "personalnummer personalnr persnr pnr mitarbeiternummer mitarbeiternr mitarbeiterid manr stammnummer",
        "fr": "matricule numeromatricule nomatricule noemploye numeroemploye numeroemployee idemploye idsalarie numerosalarie numeroagent",
        "es": "numeroempleado noempleado nempleado numempleado numerodeempleado codigoempleado idempleado legajo numerodelegajo nomina",
        "it": "matricola numeromatricola codicedipendente",
        "nl": "personeelsnummer medewerkernummer",
        "pt": "numerofuncionario numerodefuncionario",
    },
    "userName": {
        "en": "username login loginname logonname account accountname samaccountname userprincipalname upn networkid",
        "de": "benutzername benutzerkennung benutzer anmeldename kennung loginkennung",
        "fr": "nomutilisateur nomdutilisateur identifiant utilisateur",
        "es": "nombredeusuario nombreusuario usuario",
    },
    "email": {
        "en": "email emailaddress workemail workemailaddress businessemail companyemail corporateemail officialemail"
        " primaryemail primaryworkemail emailprimary emailwork mail internetaddress",
        "de": "email mail emailadresse mailadresse emaildienstlich dienstlicheemail geschaeftlicheemail emailgeschaeftlich emailfirma",
        "fr": "email mail courriel adresseemail adressemail adressecourriel adresseelectronique emailprofessionnel courrielprofessionnel"
        " mailpro emailpro",
        "es": "email correo correoelectronico emailcorporativo correocorporativo direccioncorreo emaillaboral",
        "it": "postaelettronica emailaziendale",
        "nl": "emailadres",
    },
    "givenName": {
        "en": "givenname firstname forename preferredfirstname preferredname",
        "de": "vorname rufname",
        "fr": "prenom prenoms prenomusuel",
        "es": "nombre nombredepila primernombre nombres",
        "it": "nome",
        "nl": "voornaam roepnaam",
        "pt": "primeironome",
    },
    "familyName": {
        "en": "familyname lastname surname sn",
        "de": "nachname familienname zuname",
        "fr": "nom nomdefamille nomusuel nomdusage",
        "es": "apellido apellidos primerapellido",
        "it": "cognome",
        "nl": "achternaam",
        "pt": "sobrenome apelido",
    },
    "displayName": {
        "en": "displayname fullname name employeename personname preferredfullname",
        "de": "name anzeigename vollername vollstaendigername vornamenachname namevorname mitarbeiter",
        "fr": "nomcomplet nomprenom nometprenom prenomnom nomaffiche",
        "es": "nombrecompleto nombreyapellidos nombreyapellido apellidosynombre",
        "it": "nomecompleto nominativo",
        "nl": "naam volledigenaam",
        "pt": "nomecompleto",
    },
    "phone": {
        "en": "phone phonenumber telephone telephonenumber workphone businessphone officephone mobile mobilephone cell cellphone",
        "de": "telefon telefonnummer telefonnr rufnummer telefondienstlich handy handynummer mobil mobiltelefon mobilnummer durchwahl",
        "fr": "telephone tel numerotelephone numerodetelephone telephoneprofessionnel telephoneportable portable mobileprofessionnel",
        "es": "telefono numerodetelefono movil telefonomovil celular",
        "it": "telefonocellulare cellulare",
        "nl": "telefoon telefoonnummer",
    },
    "photo": {"en": "photo photourl picture pictureurl avatar", "de": "foto bild", "fr": "photographie", "es": "fotografia"},
    "title": {
        "en": "title jobtitle position positiontitle businesstitle jobname designation",
        "de": "position stelle stellenbezeichnung funktion berufsbezeichnung taetigkeit stellentitel",
        "fr": "poste fonction intituleposte intituledeposte intituledeposteoccupe emploi titreduposte",
        "es": "puesto cargo puestodetrabajo titulodelpuesto",
        "it": "mansione qualifica ruoloaziendale",
        "nl": "functie functietitel",
    },
    "department": {
        "en": "department departmentname dept division team orgunit organizationalunit businessunit",
        "de": "abteilung abteilungsname bereich organisationseinheit orgeinheit",
        "fr": "service departement direction nomduservice unite",
        "es": "departamento area seccion",
        "it": "reparto dipartimento",
        "nl": "afdeling",
    },
    "organization": {
        "en": "organization organisation company companyname legalentity employer",
        "de": "firma unternehmen gesellschaft arbeitgeber",
        "fr": "societe entreprise organisme etablissement",
        "es": "organizacion empresa sociedad compania",
        "it": "azienda societa",
        "nl": "bedrijf organisatie",
    },
    "tenant": {"en": "tenant", "de": "mandant"},
    "roles": {"en": "roles role", "de": "rollen rolle", "es": "rol", "it": "ruoli ruolo"},
    "labels": {"en": "labels tags groups", "de": "gruppen", "fr": "etiquettes groupes", "es": "etiquetas grupos"},
    "locale": {"en": "locale language preferredlanguage", "de": "sprache", "fr": "langue", "es": "idioma", "it": "lingua", "nl": "taal"},
    "timezone": {"en": "timezone", "de": "zeitzone", "fr": "fuseauhoraire", "es": "zonahoraria"},
    "activeFrom": {
        "en": "activefrom startdate hiredate hiringdate dateofhire datehired joindate joiningdate dateofjoining entrydate"
        " employmentstartdate originalhiredate contractstart",
        "de": "eintrittsdatum eintritt eintrittam eintrittsdatumkonzern vertragsbeginn beschaeftigungsbeginn",
        "fr": "dateentree datedentree dateembauche datedembauche datedebut datearrivee datedarrivee datedebutcontrat datededebut",
        "es": "fechaalta fechadealta fechaingreso fechadeingreso fechainicio fechadeinicio fechacontratacion fechadecontratacion",
        "it": "dataassunzione datadiassunzione",
        "nl": "datumindienst indienstdatum",
    },
    "activeUntil": {
        "en": "activeuntil enddate terminationdate leavedate leavingdate leaverdate lastday lastworkingday lastdayofwork"
        " exitdate dateofleaving separationdate employmentenddate contractend contractenddate expirydate",
        "de": "austrittsdatum austritt austrittam vertragsende beschaeftigungsende befristetbis letzterarbeitstag",
        "fr": "datesortie datedesortie datedepart datededepart datefin datedefin datefincontrat datedefindecontrat",
        "es": "fechabaja fechadebaja fechasalida fechadesalida fechafin fechadefin fechatermino fechadetermino fechacese fechadecese",
        "it": "datacessazione datadicessazione",
        "nl": "datumuitdienst uitdienstdatum einddatum",
    },
    "active": {
        "en": "active isactive enabled status employmentstatus employeestatus accountstatus workerstatus",
        "de": "aktiv status istaktiv beschaeftigungsstatus mitarbeiterstatus",
        "fr": "actif estactif statut",
        "es": "activo activa estado estatus situacion",
        "it": "attivo stato",
        "nl": "actief",
    },
}  # fmt: skip
"""Canonical name (and `ID`) -> language -> headers, folded as `folded` does, the best first."""
ZONES = {"de": "Europe/Berlin", "fr": "Europe/Paris", "es": "Europe/Madrid", "it": "Europe/Rome", "nl": "Europe/Amsterdam"}
"""Where headers of a language are most often written; a hint, no more."""
LANGUAGES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch", "pt": "Portuguese",
}  # fmt: skip
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "œ": "oe", "æ": "ae"})


def folded(header: str) -> str:
    """``E-Mail (geschäftlich)`` -> ``emailgeschaeftlich``: letters and digits alone, in lower case, without accents."""
    text = unicodedata.normalize("NFKC", header).casefold().translate(_UMLAUTS)
    return re.sub(r"[\W_]", "", "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one)))


def _ranked() -> dict[str, list[tuple[str, int, str]]]:
    found: dict[str, list[tuple[str, int, str]]] = {}
    for canonical, languages in WORDS.items():
        for language, words in languages.items():
            for rank, word in enumerate(words.split()):
                found.setdefault(word, []).append((canonical, rank, language))
    return found


MEANINGS = _ranked()
"""Folded header -> what it may mean: (canonical name, rank among the words of its language, language)."""
