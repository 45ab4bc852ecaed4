//! Error answers: code, EC number, message and the XML around them (ERR-1 to ERR-33).

pub mod ec;
pub mod error_code;
pub mod error_xml;
