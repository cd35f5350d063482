//! What must hold for every secret, every spelling and every surrounding.

mod every_spelling;
