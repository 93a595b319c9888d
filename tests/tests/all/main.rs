//! Every case that runs on either engine, a module to a subject: one program, so that it is linked once.

mod accounts;
mod api;
mod backup;
mod chat;
mod decoders;
mod documents;
mod durability;
mod edits;
mod egress;
mod full;
mod hostile;
mod isolation;
mod links;
mod plain;
mod plan;
mod preview;
mod reference;
mod resume;
mod roles;
mod search;
mod terminals;
mod tls;
mod transfer;
mod watch;
mod webhooks;
mod widgets;
