//! Merges the form field `callback-var` into the fields `x:…`, so that conditions and the callback see each custom
//! variable once, whichever way it came (EC 0007-00000101 and 0007-00000103 name the field).
//!
//! Clauses CB-2 to CB-4, CB-20.

use super::FormFields;
use crate::callback::parameter::parse_callback_var;
use crate::callback::{CallbackCause, CallbackParameterError};

impl FormFields {
    /// Adds the variables of the field `callback-var` as if each had come in a field of its own. The field itself
    /// stays. A variable that came both ways with one value is taken once.
    ///
    /// # Errors
    /// When the field is no base64 of a JSON object, is longer than 5 KB, or gives a variable another value than the
    /// form does.
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormFields};
    ///
    /// // {"x:user":"42"}
    /// let sent = [("key", "a.jpg"), ("callback-var", "eyJ4OnVzZXIiOiI0MiJ9")];
    /// let mut fields = FormFields::from_parts(sent, FilePart::default())?;
    /// fields.merge_callback_variables()?;
    /// assert_eq!(fields.get("x:user"), Some("42"));
    ///
    /// let mut contradicting = FormFields::from_parts([sent[1], ("x:user", "43")], FilePart::default())?;
    /// assert!(contradicting.merge_callback_variables().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn merge_callback_variables(&mut self) -> Result<(), CallbackParameterError> {
        let Some(value) = self.get_filled("callback-var") else { return Ok(()) };
        let refused = |argument_value: &str| CallbackParameterError {
            cause: CallbackCause::VarTwice,
            argument_name: "callback-var",
            argument_value: argument_value.to_owned(),
        };
        for (name, value) in parse_callback_var(value.trim())? {
            match self.get(&name) {
                Some(sent) if sent == value => {}
                Some(_) => return Err(refused(&name)),
                None => {
                    self.reserve(&name).map_err(|_| refused(&name))?;
                    self.insert(name, value);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::super::FilePart;
    use super::*;

    fn merged(fields: &[(&str, &str)], variables: &str) -> Result<FormFields, CallbackParameterError> {
        let variables = STANDARD.encode(variables);
        let fields = fields.iter().copied().chain([("callback-var", variables.as_str())]);
        let mut fields = FormFields::from_parts(fields, FilePart::default()).unwrap();
        fields.merge_callback_variables().map(|()| fields)
    }

    #[test]
    fn gives_the_variables_names_of_fields_and_ignores_what_is_no_variable() {
        let fields =
            merged(&[("x:who", "li"), ("key", "k")], r#"{"x:order":"42","key":"other","x:who":"li"}"#)
                .unwrap();
        assert_eq!(
            (fields.get("x:order"), fields.get("x:who"), fields.get("key")),
            (Some("42"), Some("li"), Some("k"))
        );
        assert_eq!(fields.len(), 4, "x:who once");
    }

    #[test]
    fn refuses_two_values_under_one_name_in_any_letter_case() {
        for (field, json) in [
            (("x:who", "li"), r#"{"x:who":"wu"}"#),
            (("X:Who", "li"), r#"{"x:who":"wu"}"#),
            (("x:who", ""), r#"{"x:who":"wu"}"#),
            (("key", "k"), r#"{"x:a":"1","x:A":"2"}"#),
        ] {
            assert_eq!(
                merged(&[field], json).unwrap_err().cause,
                CallbackCause::VarTwice,
                "{field:?} {json}"
            );
        }
    }
}
