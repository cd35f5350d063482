//! What a call costs: five rates per model, applied to the `usage` of its answer. The `price` of an endpoint
//! multiplies the whole.

mod bill;
mod cost;
mod estimate;
mod rates;
#[cfg(test)]
mod tests;
mod tokens;

pub use bill::{Bill, Left, Terms};
pub use cost::Cost;
pub use estimate::cost_by_size;
pub use rates::{cost, is_priced_by_hand, known_rates, rates};
pub use tokens::Usage;
