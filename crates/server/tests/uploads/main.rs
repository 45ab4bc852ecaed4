//! Uploads against a real server on loopback with a real store in a temporary folder: forms as browsers
//! send them, what is refused, bodies that are slow or break off, and callbacks to a real application.

mod application;
mod callback_answers;
mod callbacks;
mod form;
mod images;
mod refusals;
mod running_store;
mod slow_bodies;
mod success;
mod wire_client;
