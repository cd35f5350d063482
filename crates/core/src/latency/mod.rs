//! How fast an endpoint is: estimators that are fed by one `Latency::observe`.
//!
//! | estimator | tells |
//! | --- | --- |
//! | `recent` | how long probes, or first events, take at present, and how much that varies |
//! | `first_events` | the same of real streams, by model and size |
//! | `comparison` | whether one endpoint is faster than another |
//! | `percentiles` | the distribution of first events, by model |
//! | `decline` | whether an endpoint takes longer than before |
//! | `pace` | how long healthy answers take, and so when one is late, or given up |
//! | `brownout` | whether it answers, but takes many times as long as usual; `ewma`: what is usual |

mod brownout;
mod comparison;
mod decline;
mod estimate;
mod ewma;
mod first_events;
mod histogram;
mod pace;
mod percentiles;
mod recent;
mod size;

pub use brownout::Slowness;
pub use comparison::Measure;
pub(crate) use comparison::{Comparison, Verdict};
pub use decline::Slower;
pub(crate) use estimate::{Latency, Sample};
pub(crate) use pace::Known;
pub use pace::{Pace, Silences};
pub use percentiles::{MODELS, Percentiles};
pub use recent::Remembered;
pub(crate) use size::Size;
