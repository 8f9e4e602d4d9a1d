//! Error reports. Errors only: traces go to OTLP. Nothing personal leaves the process.

use std::sync::Arc;

use opentelemetry::trace::TraceContextExt;
use secrecy::{ExposeSecret, SecretString};
use sentry::{
    Breadcrumb, ClientInitGuard, ClientOptions,
    protocol::{Context, Event, Map, Value},
    types::Dsn,
};

use super::{Settings, redact};

pub(super) fn is_dsn(text: &SecretString) -> bool {
    text.expose_secret().parse::<Dsn>().is_ok()
}

/// Starts the client; `None` without a DSN. To be called before the runtime starts its threads,
/// and kept until they have ended: dropping it sends what is left.
pub(crate) fn start(settings: &Settings, service: &str) -> Option<ClientInitGuard> {
    let sentry = settings.sentry.as_ref()?;
    let mut options = ClientOptions::new()
        .release(sentry.release.clone())
        .environment(sentry.environment.clone())
        .sample_rate(sentry.sample_rate)
        .send_default_pii(false)
        .attach_stacktrace(true)
        // The client fills in the host's name if there is none.
        .server_name(service.to_owned());
    options.dsn = sentry.dsn.expose_secret().parse().ok();
    options.before_send = Some(Arc::new(|event| Some(locate(scrub(event)))));
    options.before_breadcrumb = Some(Arc::new(|crumb| Some(scrub_breadcrumb(crumb))));
    Some(sentry::init(options))
}

/// Says where else to look: the report is made in the task that logged the error.
fn locate(mut event: Event<'static>) -> Event<'static> {
    opentelemetry::Context::map_current(|context| {
        let span = context.span();
        if span.span_context().is_valid() {
            let trace = span.span_context().trace_id().to_string();
            event.tags.insert("trace_id".to_owned(), trace);
        }
    });
    if let Some(id) = crate::request_id() {
        let id = id.as_str().to_owned();
        event.tags.insert("request.id".to_owned(), id);
    }
    event
}

/// Takes out of a report what may identify a person or open a door.
fn scrub(mut event: Event<'static>) -> Event<'static> {
    event.user = None;
    event.request = None;
    event.message = event.message.map(|text| redact::text(&text));
    event.transaction = None;
    if let Some(entry) = &mut event.logentry {
        entry.message = redact::text(&entry.message);
        entry.params.clear();
    }
    for exception in &mut event.exception.values {
        exception.value = exception.value.as_deref().map(redact::text);
    }
    for crumb in &mut event.breadcrumbs.values {
        *crumb = scrub_breadcrumb(std::mem::take(crumb));
    }
    scrub_values(&mut event.extra);
    for context in event.contexts.values_mut() {
        if let Context::Other(values) = context {
            scrub_values(values);
        }
    }
    for value in event.tags.values_mut() {
        *value = redact::text(value);
    }
    event
}

fn scrub_breadcrumb(mut crumb: Breadcrumb) -> Breadcrumb {
    crumb.message = crumb.message.as_deref().map(redact::text);
    scrub_values(&mut crumb.data);
    crumb
}

fn scrub_values(values: &mut Map<String, Value>) {
    for value in values.values_mut() {
        scrub_value(value);
    }
}

fn scrub_value(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact::text(text),
        Value::Array(items) => items.iter_mut().for_each(scrub_value),
        Value::Object(entries) => entries.values_mut().for_each(scrub_value),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use sentry::protocol::{Exception, LogEntry, Request, User};

    use super::*;

    #[test]
    fn nothing_personal_is_left_in_a_report() {
        let text = || "from +60123456789 a@b.example".to_owned();
        let mut event = Event {
            message: Some(text()),
            user: Some(User::default()),
            request: Some(Request::default()),
            logentry: Some(LogEntry {
                message: text(),
                params: vec![Value::String(text())],
            }),
            ..Event::default()
        };
        event.exception.values.push(Exception {
            value: Some(text()),
            ..Exception::default()
        });
        event.breadcrumbs.values.push(Breadcrumb {
            message: Some(text()),
            ..Breadcrumb::default()
        });
        event
            .extra
            .insert("x".into(), Value::Array(vec![text().into()]));
        let fields = Map::from([("y".to_owned(), Value::String(text()))]);
        event
            .contexts
            .insert("Fields".into(), Context::Other(fields));
        event.tags.insert("z".into(), text());
        let sent = serde_json::to_string(&scrub(event)).expect("events serialize");
        assert!(
            !sent.contains("60123456789") && !sent.contains("a@b"),
            "{sent}"
        );
        assert!(
            !sent.contains("\"user\"") && !sent.contains("\"request\""),
            "{sent}"
        );
    }
}
