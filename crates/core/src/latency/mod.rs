//! How fast an endpoint is: five estimators, fed by one `Latency::observe`.
//!
//! | estimator | tells |
//! | --- | --- |
//! | `ewma` | how long probes and first events take at present |
//! | `percentiles` | the distribution of first events, by model |
//! | `decline` | whether an endpoint takes longer than before |
//! | `pace` | how long healthy answers take, and so when one is late, or given up |
//! | `brownout` | whether it answers, but takes many times as long as usual |

mod brownout;
mod decline;
mod estimate;
mod ewma;
mod histogram;
mod pace;
mod percentiles;

pub use brownout::Slowness;
pub use decline::Slower;
pub(crate) use estimate::{Latency, Sample};
pub use ewma::Remembered;
pub(crate) use pace::Known;
pub use pace::{Pace, Silences};
pub use percentiles::{MODELS, Percentiles};
