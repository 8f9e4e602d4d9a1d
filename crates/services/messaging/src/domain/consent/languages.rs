//! The words, by language.

use super::Language;

/// English first: its words are known everywhere.
pub(super) const LANGUAGES: &[Language] = &[
    // English; the label that Meta suggests for a button of marketing templates is "Stop promotions".
    Language {
        stop: &[
            "stop",
            "stop all",
            "stopall",
            "stop promotions",
            "unsubscribe",
            "opt out",
            "optout",
            "opt-out",
        ],
        start: &["start", "unstop", "subscribe", "opt in", "optin", "opt-in"],
        stopped: "You will get no more marketing messages from us. Send START to get them again.",
        started: "You will get our marketing messages again. Send STOP to end them.",
    },
    // Portuguese
    Language {
        stop: &[
            "parar",
            "sair",
            "descadastrar",
            "cancelar inscrição",
            "parar promoções",
        ],
        start: &["iniciar", "começar", "inscrever"],
        stopped: "Você não receberá mais nossas mensagens de marketing. Envie INICIAR para voltar a recebê-las.",
        started: "Você voltará a receber nossas mensagens de marketing. Envie PARAR para não recebê-las mais.",
    },
    // Spanish
    Language {
        stop: &[
            "baja",
            "darse de baja",
            "darme de baja",
            "detener",
            "detener promociones",
        ],
        start: &["alta", "suscribir", "suscribirme"],
        stopped: "Ya no recibirás nuestros mensajes de marketing. Envía ALTA para volver a recibirlos.",
        started: "Volverás a recibir nuestros mensajes de marketing. Envía BAJA para dejar de recibirlos.",
    },
    // French
    Language {
        stop: &[
            "arrêt",
            "arret",
            "arrêter",
            "désabonner",
            "desabonner",
            "désinscription",
        ],
        start: &["reprendre", "abonner", "réabonner"],
        stopped: "Vous ne recevrez plus nos messages marketing. Envoyez REPRENDRE pour les recevoir à nouveau.",
        started: "Vous recevrez à nouveau nos messages marketing. Envoyez ARRÊT pour ne plus les recevoir.",
    },
    // German
    Language {
        stop: &["stopp", "abmelden", "abbestellen"],
        start: &["anmelden", "starten"],
        stopped: "Sie erhalten keine Werbenachrichten mehr von uns. Senden Sie ANMELDEN, um sie wieder zu erhalten.",
        started: "Sie erhalten unsere Werbenachrichten wieder. Senden Sie ABMELDEN, um sie zu beenden.",
    },
    // Italian
    Language {
        stop: &["ferma", "disiscrivimi", "annulla iscrizione"],
        start: &["riprendi", "iscrivimi"],
        stopped: "Non riceverai più i nostri messaggi di marketing. Invia RIPRENDI per riceverli di nuovo.",
        started: "Riceverai di nuovo i nostri messaggi di marketing. Invia FERMA per non riceverli più.",
    },
    // Dutch
    Language {
        stop: &["stoppen", "afmelden", "uitschrijven"],
        start: &["aanmelden", "inschrijven"],
        stopped: "U ontvangt geen marketingberichten meer van ons. Stuur AANMELDEN om ze weer te ontvangen.",
        started: "U ontvangt onze marketingberichten weer. Stuur AFMELDEN om ze te stoppen.",
    },
    // Polish
    Language {
        stop: &["wypisz", "zatrzymaj"],
        start: &["zapisz", "wznów"],
        stopped: "Nie będziesz już otrzymywać od nas wiadomości marketingowych. Wyślij ZAPISZ, aby znów je otrzymywać.",
        started: "Znów będziesz otrzymywać nasze wiadomości marketingowe. Wyślij WYPISZ, aby z nich zrezygnować.",
    },
    // Turkish
    Language {
        stop: &["dur", "durdur", "iptal et", "abonelikten çik"],
        start: &["başlat", "başla", "abone ol"],
        stopped: "Artık bizden pazarlama mesajı almayacaksınız. Yeniden almak için BAŞLAT yazın.",
        started: "Pazarlama mesajlarımızı yeniden alacaksınız. Almamak için DURDUR yazın.",
    },
    // Indonesian
    Language {
        stop: &["berhenti", "hentikan"],
        start: &["mulai", "lanjutkan"],
        stopped: "Anda tidak akan menerima pesan pemasaran dari kami lagi. Kirim MULAI untuk menerimanya kembali.",
        started: "Anda akan menerima pesan pemasaran kami lagi. Kirim BERHENTI untuk menghentikannya.",
    },
    // Russian
    Language {
        stop: &["стоп", "отписаться", "отписка"],
        start: &["старт", "подписаться"],
        stopped: "Вы больше не будете получать от нас рекламные сообщения. Отправьте СТАРТ, чтобы получать их снова.",
        started: "Вы снова будете получать наши рекламные сообщения. Отправьте СТОП, чтобы отказаться от них.",
    },
    // Arabic
    Language {
        stop: &["توقف", "إيقاف", "إلغاء الاشتراك"],
        start: &["ابدأ", "اشتراك"],
        stopped: "لن تتلقى منا رسائل تسويقية بعد الآن. أرسل ابدأ لتلقيها من جديد.",
        started: "ستتلقى رسائلنا التسويقية من جديد. أرسل توقف لإيقافها.",
    },
    // Hindi
    Language {
        stop: &["बंद", "बंद करें", "रोकें"],
        start: &["शुरू", "शुरू करें"],
        stopped: "अब आपको हमसे मार्केटिंग संदेश नहीं मिलेंगे। उन्हें फिर से पाने के लिए शुरू भेजें।",
        started: "आपको हमारे मार्केटिंग संदेश फिर से मिलेंगे। उन्हें रोकने के लिए बंद भेजें।",
    },
    // Chinese
    Language {
        stop: &["退订", "取消订阅"],
        start: &["订阅", "恢复订阅"],
        stopped: "您将不再收到我们的营销消息。如需重新接收，请发送“订阅”。",
        started: "您将重新收到我们的营销消息。如需停止，请发送“退订”。",
    },
    // Japanese
    Language {
        stop: &["停止", "配信停止"],
        start: &["再開", "配信再開"],
        stopped: "今後、マーケティングメッセージは配信されません。再び受け取るには「再開」と送信してください。",
        started: "マーケティングメッセージの配信を再開します。停止するには「停止」と送信してください。",
    },
];
