//! For application servers: sign upload policies, verify callbacks, keep a ledger.
