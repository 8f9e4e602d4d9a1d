//! Templates of an account.

use secrecy::SecretString;
use serde_json::Value;

use super::{CallError, Client};
use crate::webhook::{Raw, json::Object};

const FIELDS: &str = "id,name,status,category,language,components,quality_score,rejected_reason,\
    parameter_format";

/// A template as the account has it. Texts in capitals are Meta's and open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its language, `en_US`.
    pub language: Option<String>,
    /// Only `APPROVED` ones can be sent.
    pub status: Option<String>,
    /// May differ from the one asked for.
    pub category: Option<String>,
    /// `POSITIONAL` or `NAMED`.
    pub parameter_format: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality: Option<String>,
    /// Why it was rejected.
    pub rejected_reason: Option<String>,
    /// Its parts as JSON. A media header's example is an address here, not a handle: it can't be
    /// used for an edit.
    pub components: Option<Raw>,
}

/// A page of templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplatePage {
    /// The templates.
    pub templates: Vec<TemplateSummary>,
    /// Where the next page begins; `None` on the last one.
    pub after: Option<String>,
}

/// A template submitted for review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedTemplate {
    /// Its id.
    pub id: String,
    /// Usually `PENDING`.
    pub status: Option<String>,
    /// Meta may change the category silently: compare.
    pub category: Option<String>,
}

impl TemplateSummary {
    fn read(object: &Object<'_>) -> Option<Self> {
        Some(Self {
            id: object.id("id")?,
            name: object.id("name"),
            language: object.id("language"),
            status: object.id("status"),
            category: object.id("category"),
            parameter_format: object.id("parameter_format"),
            quality: object
                .object("quality_score")
                .and_then(|score| score.id("score")),
            rejected_reason: object
                .id("rejected_reason")
                .filter(|reason| reason != "NONE"),
            components: object.raw("components").map(Raw::new),
        })
    }
}

impl Client {
    /// Lists templates, 100 a page.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn list_templates(
        &self,
        waba_id: &str,
        token: &SecretString,
        after: Option<&str>,
    ) -> Result<TemplatePage, CallError> {
        let url = self.url(&[waba_id, "message_templates"])?;
        let mut query = vec![("fields", FIELDS), ("limit", "100")];
        query.extend(after.map(|after| ("after", after)));
        let request = self.get("templates.list", url, token).query(&query);
        let body = self
            .call(request.max_response_bytes(8 * 1024 * 1024))
            .await?;
        let object = body.object().ok_or(CallError::Unreadable)?;
        let templates = object.objects("data");
        // Only the cursor is taken: `paging.next` repeats the access token.
        let paging = object.object("paging").filter(|paging| paging.has("next"));
        let cursors = paging.and_then(|paging| paging.object("cursors"));
        Ok(TemplatePage {
            templates: templates.iter().filter_map(TemplateSummary::read).collect(),
            after: cursors.and_then(|cursors| cursors.id("after")),
        })
    }

    /// Submits a template for review. Not repeated by itself: the second would be refused as a
    /// duplicate and hide the first one's id.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn create_template(
        &self,
        waba_id: &str,
        token: &SecretString,
        template: &Value,
    ) -> Result<CreatedTemplate, CallError> {
        let url = self.url(&[waba_id, "message_templates"])?;
        let request = self.post("templates.create", url, token).json(template);
        let body = self.call(request).await?;
        let object = body.object().ok_or(CallError::Unreadable)?;
        Ok(CreatedTemplate {
            id: object.id("id").ok_or(CallError::Unreadable)?,
            status: object.id("status"),
            category: object.id("category"),
        })
    }

    /// Deletes a template: in one language by its id, in all languages without.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn delete_template(
        &self,
        waba_id: &str,
        token: &SecretString,
        name: &str,
        template_id: Option<&str>,
    ) -> Result<(), CallError> {
        let url = self.url(&[waba_id, "message_templates"])?;
        let mut query = vec![("name", name)];
        query.extend(template_id.map(|id| ("hsm_id", id)));
        self.succeed(self.delete("templates.delete", url, token).query(&query))
            .await
    }
}
