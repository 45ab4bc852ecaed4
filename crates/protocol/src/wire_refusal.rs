//! Error answers: code, EC number, message and the XML around them (protocol 06).

pub mod ec;
pub mod error_code;
pub mod error_xml;
