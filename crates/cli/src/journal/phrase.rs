//! What the journal's views say besides reasons: `status.` keys of the catalogues.

use serde::Serialize;
use zephyr_control::{AttemptOutcome, Reason, RequestEnd};

/// A phrase and its parameters, in the form that [`zephyr_control::text`] puts into words.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum Phrase<'a> {
    Unknown,
    AndUnknown {
        known: String,
    },
    Milliseconds {
        ms: String,
    },
    ExactSeconds {
        seconds: String,
    },
    ColumnId,
    ColumnTime,
    ColumnEnd,
    ColumnModel,
    ColumnEndpoint,
    ColumnTtft,
    ColumnDuration,
    ColumnInput,
    ColumnOutput,
    ColumnCost,
    ColumnNote,
    ColumnOutcome,
    ColumnQueue,
    ColumnConnect,
    ColumnTls,
    ColumnHead,
    ColumnReason,
    ColumnDay,
    ColumnHour,
    ColumnSession,
    ColumnRequests,
    ColumnFailed,
    ColumnCacheWritten,
    ColumnCacheRead,
    ColumnSaved,
    ColumnLost,
    ColumnChecks,
    EndAnswered,
    EndFailed,
    EndAborted,
    EndAbandoned,
    EndRefused,
    OutcomeAnswered,
    OutcomeNotServed,
    OutcomeClientFault,
    OutcomeRefused,
    OutcomeExhausted,
    OutcomeThrottled,
    OutcomeFailed,
    OutcomeInvalid,
    OutcomeAbandoned,
    OutcomeOffline,
    OutcomeOvertaken,
    AfterAttempt {
        endpoint: String,
        why: &'a Reason,
    },
    Request {
        id: u64,
        time: String,
    },
    LabelIdentifier,
    LabelClient,
    LabelSession,
    LabelAgent,
    LabelModel,
    LabelEndpoint,
    LabelDuration,
    LabelSize,
    LabelTokens,
    LabelCost,
    LabelSecondAttempt,
    LabelStop,
    LabelError,
    ServedModel {
        model: String,
        served: String,
    },
    Streamed {
        model: String,
    },
    Lasted {
        duration: String,
        first: String,
    },
    Sizes {
        request: String,
        response: String,
    },
    TokensAre {
        input: String,
        written_5m: String,
        written_1h: String,
        read: String,
        output: String,
        thinking: String,
    },
    AtMostMore {
        cost: String,
    },
    CostAnd {
        cost: String,
        saved: String,
        lost: String,
    },
    Attempts,
    NoAttempts,
    RateLimits {
        endpoint: String,
    },
    RequestHeaders,
    ResponseHeaders,
    RequestBody,
    ResponseBody,
    CutOff,
    NoRequests,
    NoUsage,
    Total,
    Unpriced {
        requests: String,
    },
    SecondAttempts {
        requests: String,
    },
    SecondAttemptsCost {
        requests: String,
        cost: String,
    },
    CompleteSince {
        time: String,
    },
    CameBack {
        what: String,
        after: String,
    },
    NoHead,
    LabelCameBack,
    LabelTakenFor,
    LabelAbout,
    LabelGround,
    LabelUntil,
    LabelOvertakenCost,
    AtMost {
        cost: String,
    },
    FromTheAnswerOn {
        span: String,
    },
    NextMovesOn,
    NextPassesOn,
    RuleDecides {
        number: usize,
    },
    RuleFitsLater {
        number: usize,
    },
    RuleDoesNotFit {
        number: usize,
    },
}

pub(super) fn end(end: RequestEnd) -> Phrase<'static> {
    match end {
        RequestEnd::Answered => Phrase::EndAnswered,
        RequestEnd::Failed => Phrase::EndFailed,
        RequestEnd::Aborted => Phrase::EndAborted,
        RequestEnd::Abandoned => Phrase::EndAbandoned,
        RequestEnd::Refused => Phrase::EndRefused,
    }
}

pub(super) fn outcome(outcome: AttemptOutcome) -> Phrase<'static> {
    match outcome {
        AttemptOutcome::Answered => Phrase::OutcomeAnswered,
        AttemptOutcome::NotServed => Phrase::OutcomeNotServed,
        AttemptOutcome::ClientFault => Phrase::OutcomeClientFault,
        AttemptOutcome::Refused => Phrase::OutcomeRefused,
        AttemptOutcome::Exhausted => Phrase::OutcomeExhausted,
        AttemptOutcome::Throttled => Phrase::OutcomeThrottled,
        AttemptOutcome::Failed => Phrase::OutcomeFailed,
        AttemptOutcome::Invalid => Phrase::OutcomeInvalid,
        AttemptOutcome::Abandoned => Phrase::OutcomeAbandoned,
        AttemptOutcome::Offline => Phrase::OutcomeOffline,
        AttemptOutcome::Overtaken => Phrase::OutcomeOvertaken,
    }
}
