//! The reader's problems with a changed text, as a form shows them.
//!
//! A form shows every error, since an error anywhere keeps the text from being written. It shows only the
//! warnings that the change gives rise to.

use zephyr_control::{Complaint, Redacted};

use crate::problem::{Problem, Problems};

/// What the form is about.
#[derive(Clone, Copy)]
pub(super) enum Form<'a> {
    /// One key.
    Key(&'a str),
    /// An endpoint: the numbers of its group and of its place there.
    Endpoint((usize, usize)),
    /// Something that is gone.
    None,
}

impl Form<'_> {
    /// The field that shows the problem, if it belongs to what the form is about.
    fn field<'p>(&self, problem: &'p Problem) -> Option<&'p str> {
        let (group, index) = match self {
            Self::Key(key) => return (*key == problem.key).then_some(&problem.key),
            Self::Endpoint(place) => place,
            Self::None => return None,
        };
        let in_group = problem.key.strip_prefix(&format!("groups[{group}]."))?;
        let field = match in_group.strip_prefix(&format!("endpoints[{index}].")) {
            Some(field) => field,
            None if in_group == "name" => "group",
            None if in_group.contains('.') => return None,
            None => in_group,
        };
        Some(match field {
            "auth_token_env" | "auth_token_keychain" | "api_key_env" => "token",
            field => field,
        })
    }

    /// Whether the problem belongs to the form's endpoint and to nothing else.
    fn has_endpoint_of(&self, problem: &Problem) -> bool {
        match self {
            Self::Endpoint((group, index)) => {
                let own = format!("groups[{group}].endpoints[{index}].");
                problem.key.starts_with(&own)
            }
            Self::Key(_) | Self::None => false,
        }
    }
}

/// The errors. One that the file has already, and not in what the form is about, names its line.
pub(super) fn errors(found: &Problems, before: &[Problem], form: Form<'_>) -> Vec<Complaint> {
    let line = |problem: &Problem| {
        let same = |old: &&Problem| old.key == problem.key && old.message == problem.message;
        before.iter().find(same).and_then(|old| old.line)
    };
    let error = |problem: &Problem| {
        let mut complaint = complaint(problem, form);
        if let (None, Some(line)) = (form.field(problem), line(problem)) {
            let placed = format!("line {line}: {}", complaint.message);
            complaint.message = Redacted::by_shape(&placed);
        }
        complaint
    };
    found.iter().map(error).collect()
}

/// The warnings about the form's endpoint, and those that the text did not have before.
pub(super) fn warnings(found: &[Problem], before: &[Problem], form: Form<'_>) -> Vec<Complaint> {
    // The endpoint may have had another place, so the path is not compared.
    let name = |problem: &Problem| problem.key.rsplit('.').next().map(str::to_owned);
    let is_new = |warning: &&Problem| {
        let same = |old: &Problem| name(old) == name(warning) && old.message == warning.message;
        form.has_endpoint_of(warning) || !before.iter().any(same)
    };
    let warning = |problem: &Problem| Complaint {
        is_warning: true,
        ..complaint(problem, form)
    };
    found.iter().filter(is_new).map(warning).collect()
}

fn complaint(problem: &Problem, form: Form<'_>) -> Complaint {
    let field = form.field(problem).unwrap_or(&problem.key);
    Complaint {
        field: (!field.is_empty()).then(|| field.to_owned()),
        message: Redacted::by_shape(&format!("{}; {}", problem.message, problem.remedy)),
        is_warning: false,
    }
}
