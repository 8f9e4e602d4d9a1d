//! A template in a message: what is known of it is checked before the message is stored, and kept with it.

use db::AsTx;
use errors::FieldViolation;
use ids::TenantScope;
use proto::messaging::v1::{MessageContent, message_content::Kind};

use super::definition;
use crate::{
    domain::{
        consent::Purpose,
        template::{fill, state},
    },
    error::Error,
    jobs::sync_templates,
    store::{channels, consents, conversations::Target, templates},
};

/// Fills in how the message reads. A template nobody knows here is left to WhatsApp: it may be minutes old, and the
/// account's list is read again.
pub(crate) async fn prepare(
    tx: &mut impl AsTx,
    scope: &TenantScope,
    target: &Target,
    content: &mut MessageContent,
) -> Result<(), Error> {
    let Some(Kind::Template(template)) = &mut content.kind else {
        return Ok(());
    };
    template.text.clear();
    template.template_id.clear();
    template.revision = 0;
    let (of, channel_id) = (scope.organization_id, target.channel_id);
    let (name, language) = (&template.name, &template.language);
    let known = templates::find_for_channel(tx.conn(), of, channel_id, name, language).await?;
    let Some(known) = known else {
        if let Some(channel) = channels::find(tx.conn(), of, channel_id).await? {
            let now = tx.db().clock().now();
            sync_templates::hurry(tx, of, &channel.waba_id, now).await?;
        }
        return Ok(());
    };
    if known.status != state::APPROVED {
        return Err(Error::TemplateNotSendable {
            status: known.status,
            reason: known.status_reason,
        });
    }
    // A template is for what WhatsApp says it is for: of a template it has said nothing about, nothing is guessed.
    if let Some(purpose) = Purpose::of_category(&known.category) {
        let word = purpose.word();
        let said = consents::find_latest(tx.conn(), of, target.contact_id, word).await?;
        if said == Some(false) {
            return Err(Error::ConsentWithdrawn(purpose));
        }
    }
    let definition = definition(&known.definition)?;
    let format = state::format(&known.parameter_format);
    let problems = fill::problems(&definition, format, &template.components);
    if !problems.is_empty() {
        let ours = |problem: FieldViolation| {
            let field = format!("content.template.{}", problem.field);
            FieldViolation::new(field, problem.message)
        };
        return Err(Error::Content(problems.into_iter().map(ours).collect()));
    }
    template.text = fill::text(&definition, &template.components);
    template.template_id = known.id.to_string();
    template.revision = u32::try_from(known.revision).unwrap_or_default();
    Ok(())
}
