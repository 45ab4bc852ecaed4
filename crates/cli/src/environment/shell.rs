//! Quotes variables for shells, with values that may hold anything.

/// A shell to print for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Shell {
    /// sh, bash, zsh, dash.
    #[default]
    Sh,
    /// fish.
    Fish,
    /// PowerShell.
    Pwsh,
}

impl Shell {
    /// The line that sets and exports a variable.
    pub(crate) fn set(self, name: &str, value: &str) -> String {
        match self {
            Shell::Sh => format!("export {name}='{}'", value.replace('\'', r"'\''")),
            Shell::Fish => format!("set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'")),
            Shell::Pwsh => format!("$env:{name} = '{}'", doubled(value)),
        }
    }

    /// The line that takes a variable away, where it is there.
    pub(crate) fn unset(self, name: &str) -> String {
        match self {
            Shell::Sh => format!("unset {name}"),
            Shell::Fish => format!("set -e {name}"),
            Shell::Pwsh => format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue"),
        }
    }
}

/// PowerShell ends a quotation at typographic quotes too.
fn doubled(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for sign in value.chars() {
        if matches!(sign, '\'' | '\u{2018}'..='\u{201b}') {
            text.push(sign);
        }
        text.push(sign);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_any_value_for_the_shell() {
        let value = "it's $HOME `id` \\ \u{2019}";
        assert_eq!(Shell::Sh.set("A", value), "export A='it'\\''s $HOME `id` \\ \u{2019}'");
        assert_eq!(Shell::Fish.set("A", value), "set -gx A 'it\\'s $HOME `id` \\\\ \u{2019}'");
        assert_eq!(Shell::Pwsh.set("A", value), "$env:A = 'it''s $HOME `id` \\ \u{2019}\u{2019}'");
        assert_eq!(Shell::Sh.unset("A"), "unset A");
    }
}
