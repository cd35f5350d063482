//! What must hold for every secret, every spelling and every surrounding.

mod cost;
mod every_spelling;
