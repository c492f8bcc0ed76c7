//! Fields of forms with all that a reader's tools need: label, hint, error, and the ties between them.

use std::collections::BTreeMap;
use std::fmt::Write;

use askama::filters::Safe;
use language::Text;

use super::markup::escape;
use super::page::Page;

/// What is wrong with a form as it was sent: field id → ids of texts.
#[derive(Debug, Clone, Default)]
pub struct Errors(BTreeMap<String, String>, Vec<String>);

impl Errors {
    /// Adds the text `id` to `field`. The first error of a field stays.
    pub fn add(&mut self, field: &str, id: &str) {
        if !self.0.contains_key(field) {
            self.0.insert(field.to_owned(), id.to_owned());
            self.1.push(field.to_owned());
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The box at the top of the page that names each error and leads to its field; empty when nothing is wrong.
    pub fn summary(&self, page: &Page) -> Safe<String> {
        if self.is_empty() {
            return Safe(String::new());
        }
        let mut html = format!(
            "<div class=\"note bad errors\" role=\"alert\" tabindex=\"-1\" aria-labelledby=\"errors\"><h2 id=\"errors\">{}</h2><ul>",
            escape(&page.t("portal-errors-title"))
        );
        for field in &self.1 {
            let text = escape(&page.t(&self.0[field]));
            write!(html, "<li><a href=\"#{}\">{text}</a></li>", escape(field)).expect("a string takes all");
        }
        html.push_str("</ul></div>");
        Safe(html)
    }
}

enum Kind {
    Line(&'static str),
    Area(u32),
    Select(Vec<(String, String)>),
}

/// One field. Built in a template, shown by its last call [`Input::errors`] or as it is.
pub struct Input {
    texts: &'static Text,
    id: String,
    label: String,
    hint: Option<String>,
    error: Option<String>,
    value: String,
    kind: Kind,
    autocomplete: Option<String>,
    required: bool,
    ltr: bool,
    narrow: bool,
}

impl Input {
    /// A line of text named `id`, labelled with the text `label`.
    pub fn new(texts: &'static Text, id: &str, label: &str) -> Self {
        Self {
            texts,
            id: id.to_owned(),
            label: texts.get(label),
            hint: None,
            error: None,
            value: String::new(),
            kind: Kind::Line("text"),
            autocomplete: None,
            required: false,
            ltr: false,
            narrow: false,
        }
    }

    /// With the text `id` between label and field.
    pub fn hint(mut self, id: &str) -> Self {
        self.hint = Some(self.texts.get(id));
        self
    }

    /// With this content.
    pub fn value(mut self, value: impl AsRef<str>) -> Self {
        value.as_ref().clone_into(&mut self.value);
        self
    }

    /// With the error that `errors` holds for it.
    pub fn errors(mut self, errors: &Errors) -> Self {
        self.error = errors.0.get(&self.id).map(|id| self.texts.get(id));
        self
    }

    /// Must be filled in (said to tools; the server decides, so that the message is in the page's language).
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// A mail address.
    pub fn email(mut self) -> Self {
        self.kind = Kind::Line("email");
        self.ltr = true;
        self
    }

    /// A telephone number.
    pub fn tel(mut self) -> Self {
        self.kind = Kind::Line("tel");
        self.ltr = true;
        self
    }

    /// A password.
    pub fn password(mut self) -> Self {
        self.kind = Kind::Line("password");
        self.ltr = true;
        self
    }

    /// A word to search for.
    pub fn search(mut self) -> Self {
        self.kind = Kind::Line("search");
        self
    }

    /// Several lines.
    pub fn area(mut self, rows: u32) -> Self {
        self.kind = Kind::Area(rows);
        self
    }

    /// One of `options`: sent value and shown text.
    pub fn select(mut self, options: impl AsRef<[(String, String)]>) -> Self {
        self.kind = Kind::Select(options.as_ref().to_vec());
        self
    }

    /// What browsers may fill in (WCAG 2.2, 1.3.5): `email`, `current-password`, `one-time-code`, `off`.
    pub fn autocomplete(mut self, token: &str) -> Self {
        self.autocomplete = Some(token.to_owned());
        self
    }

    /// Always written from left to right.
    pub fn ltr(mut self) -> Self {
        self.ltr = true;
        self
    }

    /// Only as wide as a short code.
    pub fn narrow(mut self) -> Self {
        self.narrow = true;
        self
    }

    fn html(&self) -> String {
        let id = escape(&self.id);
        let wrong = if self.error.is_some() { " wrong" } else { "" };
        let mut html = format!(
            "<div class=\"field{wrong}\"><label for=\"{id}\">{}</label>",
            escape(&self.label)
        );
        let mut described = Vec::new();
        if let Some(hint) = &self.hint {
            described.push(format!("{id}-hint"));
            let _ = write!(html, "<p class=\"hint\" id=\"{id}-hint\">{}</p>", escape(hint));
        }
        if let Some(error) = &self.error {
            described.push(format!("{id}-error"));
            let _ = write!(html, "<p class=\"error\" id=\"{id}-error\">{}</p>", escape(error));
        }
        let mut ties = format!(" id=\"{id}\" name=\"{id}\"");
        if !described.is_empty() {
            let _ = write!(ties, " aria-describedby=\"{}\"", described.join(" "));
        }
        if self.error.is_some() {
            ties.push_str(" aria-invalid=\"true\"");
        }
        if self.required {
            ties.push_str(" aria-required=\"true\"");
        }
        if let Some(token) = &self.autocomplete {
            let _ = write!(ties, " autocomplete=\"{}\"", escape(token));
        }
        if !matches!(self.kind, Kind::Select(_)) {
            ties.push_str(if self.ltr { " dir=\"ltr\"" } else { " dir=\"auto\"" });
        }
        if self.narrow {
            ties.push_str(" class=\"narrow\"");
        }
        let value = escape(&self.value);
        let _ = match &self.kind {
            Kind::Line(kind) => write!(html, "<input type=\"{kind}\"{ties} value=\"{value}\">"),
            // HTML drops one newline right after the tag, so one of ours goes first.
            Kind::Area(rows) => write!(html, "<textarea{ties} rows=\"{rows}\">\n{value}</textarea>"),
            Kind::Select(options) => {
                let _ = write!(html, "<select{ties}>");
                for (sent, shown) in options {
                    let chosen = if *sent == self.value { " selected" } else { "" };
                    let _ = write!(
                        html,
                        "<option value=\"{}\"{chosen}>{}</option>",
                        escape(sent),
                        escape(shown)
                    );
                }
                write!(html, "</select>")
            }
        };
        html.push_str("</div>");
        html
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.html())
    }
}

impl askama::FastWritable for Input {
    fn write_into(&self, dest: &mut dyn Write, _values: &dyn askama::Values) -> askama::Result<()> {
        Ok(dest.write_str(&self.html())?)
    }
}

impl askama::filters::HtmlSafe for Input {}
