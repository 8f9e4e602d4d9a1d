//! Templates of an account.

use secrecy::SecretString;
use serde_json::Value;

use super::{CallError, Client};
use crate::webhook::{Raw, json::Object};

const FIELDS: &str = "id,name,status,category,language,components,quality_score,rejected_reason,\
    parameter_format";

/// A page of a hundred with all their components.
const MAX_LIST: usize = 8 * 1024 * 1024;

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
        let body = self.call(request.max_response_bytes(MAX_LIST)).await?;
        let object = body.object().ok_or(CallError::Unreadable)?;
        // Whoever takes this for the end of the list would take all templates for deleted.
        if !object.has("data") {
            return Err(CallError::Unreadable);
        }
        let templates = object.objects("data");
        // Only the cursor is taken: `paging.next` repeats the access token.
        let paging = object.object("paging").filter(|paging| paging.has("next"));
        let after = match paging {
            None => None,
            Some(paging) => {
                let cursors = paging.object("cursors");
                let after = cursors.and_then(|cursors| cursors.id("after"));
                Some(after.ok_or(CallError::Unreadable)?)
            }
        };
        Ok(TemplatePage {
            templates: templates.iter().filter_map(TemplateSummary::read).collect(),
            after,
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

    /// Replaces the components of a template, which is reviewed again then. Meta: only approved, rejected and paused ones;
    /// an approved one once in 24 hours and ten times in 30 days.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn edit_template(
        &self,
        template_id: &str,
        token: &SecretString,
        components: &Value,
    ) -> Result<(), CallError> {
        let url = self.url(&[template_id])?;
        let request = self.post("templates.edit", url, token);
        let body = serde_json::json!({ "components": components });
        self.succeed(request.json(&body)).await
    }

    /// The template of this name in this language, if the account has it.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn find_template(
        &self,
        waba_id: &str,
        token: &SecretString,
        name: &str,
        language: &str,
    ) -> Result<Option<TemplateSummary>, CallError> {
        let url = self.url(&[waba_id, "message_templates"])?;
        let query = [("fields", FIELDS), ("limit", "100"), ("name", name)];
        let request = self.get("templates.find", url, token).query(&query);
        let body = self.call(request.max_response_bytes(MAX_LIST)).await?;
        let object = body.object().ok_or(CallError::Unreadable)?;
        // Meta matches names that only contain the text, too.
        let fits = |found: &TemplateSummary| {
            found.name.as_deref() == Some(name) && found.language.as_deref() == Some(language)
        };
        let mut found = object
            .objects("data")
            .iter()
            .filter_map(TemplateSummary::read)
            .collect::<Vec<_>>();
        found.retain(fits);
        Ok(found.pop())
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
