//! Meta's words for state, category and quality, as the tables have them and as the API says them.

use proto::messaging::v1::{ParameterFormat, TemplateCategory, TemplateQuality, TemplateStatus};

/// The state of a template that only we have.
pub(crate) const DRAFT: &str = "draft";
/// The only state that can be sent.
pub(crate) const APPROVED: &str = "approved";
/// Meta has it no more.
pub(crate) const DELETED: &str = "deleted";
/// Meta looks at it.
pub(crate) const PENDING: &str = "pending";

/// The word of a table for one of Meta's. Two of them say what happened and not what it is.
pub(crate) fn word(meta: &str) -> String {
    match meta.to_ascii_lowercase().as_str() {
        "unarchived" | "reinstated" => APPROVED.to_owned(),
        other => other.to_owned(),
    }
}

pub(crate) fn status(word: &str) -> TemplateStatus {
    let name = format!("TEMPLATE_STATUS_{}", word.to_ascii_uppercase());
    TemplateStatus::from_str_name(&name).unwrap_or_default()
}

/// The word of a filter; `None` for all.
pub(crate) fn status_word(status: TemplateStatus) -> Option<String> {
    let name = status.as_str_name().strip_prefix("TEMPLATE_STATUS_")?;
    (status != TemplateStatus::Unspecified).then(|| name.to_ascii_lowercase())
}

pub(crate) fn category(word: &str) -> TemplateCategory {
    let name = format!("TEMPLATE_CATEGORY_{}", word.to_ascii_uppercase());
    TemplateCategory::from_str_name(&name).unwrap_or_default()
}

pub(crate) fn category_word(category: TemplateCategory) -> &'static str {
    match category {
        TemplateCategory::Marketing => "marketing",
        TemplateCategory::Authentication => "authentication",
        TemplateCategory::Utility | TemplateCategory::Unspecified => "utility",
    }
}

pub(crate) fn quality(word: &str) -> TemplateQuality {
    let name = format!("TEMPLATE_QUALITY_{}", word.to_ascii_uppercase());
    TemplateQuality::from_str_name(&name).unwrap_or_default()
}

pub(crate) fn format(word: &str) -> ParameterFormat {
    match word {
        "named" => ParameterFormat::Named,
        _ => ParameterFormat::Positional,
    }
}

pub(crate) const fn format_word(format: ParameterFormat) -> &'static str {
    match format {
        ParameterFormat::Named => "named",
        ParameterFormat::Positional | ParameterFormat::Unspecified => "positional",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_api_is_a_word_of_the_table_and_back() {
        for number in 1..=13 {
            let known = TemplateStatus::try_from(number).expect("a state");
            let word = status_word(known).expect("a word");
            assert_eq!(status(&word), known);
        }
        assert_eq!(status("something_new"), TemplateStatus::Unspecified);
        assert_eq!(status_word(TemplateStatus::Unspecified), None);
        assert_eq!(status(&word("UNARCHIVED")), TemplateStatus::Approved);
    }
}
