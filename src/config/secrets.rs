//! Texts that no message may show (L12).

use super::template::Variables;

/// What is kept out of messages and excerpts: the catalogue's token, and the values of variables whose name says that
/// they are secret, because a rendered line contains them.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    texts: Vec<String>,
}

/// What a variable's name contains when its value is a secret.
pub(super) const TELLTALE: [&str; 6] = [
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "CREDENTIAL",
];

/// Shorter values of variables are flags and numbers; hiding them would hide half of every message.
pub(super) const SHORTEST: usize = 6;

const HIDDEN: &str = "(hidden)";

impl Secrets {
    /// The secrets among the variables that the template can use.
    pub(super) fn of_variables(variables: &Variables) -> Secrets {
        let secret = variables.iter().filter(|(name, _)| is_telltale(name));
        // A key in PEM form has many lines, and an excerpt shows one of them.
        let lines = secret.flat_map(|(_, value)| value.lines());
        let lines = lines.map(str::trim).filter(|line| line.len() >= SHORTEST);
        Secrets {
            texts: lines.map(str::to_owned).collect(),
        }
    }

    /// Keeps this text out as well.
    pub(super) fn add(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.texts.push(text.trim().to_owned());
        }
    }

    /// Whether a line shows a secret.
    pub(super) fn are_in(&self, line: &str) -> bool {
        self.texts.iter().any(|secret| line.contains(secret))
    }

    /// The message without any secret.
    pub(super) fn scrub(&self, message: String) -> String {
        let mut message = message;
        for secret in &self.texts {
            if message.contains(secret) {
                message = message.replace(secret, HIDDEN);
            }
        }
        message
    }
}

/// Whether a variable of this name is likely to be a secret.
pub(super) fn is_telltale(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    TELLTALE.iter().any(|word| name.contains(word)) || name.ends_with("KEY")
}
