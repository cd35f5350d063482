//! The ideas that decide between verdicts if the status does not, and the words for them.
//!
//! Text is matched only here. Each idea is a few words in two languages. Most of them count only together
//! with another idea nearby.

use super::text::normalized;
use super::told::Told;

/// The endpoint asks for fewer requests at a time.
const RATE: &[&str] = &[
    "throttl*",
    "rate",
    "rates",
    "ratelimit*",
    "qps",
    "rps",
    "rpm",
    "tpm",
    "itpm",
    "otpm",
    "concurren*",
    "too many requests",
    "requests per",
    "tokens per",
    "per minute",
    "per second",
    "slow down",
    "too fast",
    "too frequent*",
    "频率",
    "速率",
    "限流",
    "限速",
    "流控",
    "并发",
    "频繁",
    "请求过多",
    "请求数过多",
    "每分钟",
    "每秒",
];

/// Things that one pays for.
const QUOTA: &[&str] = &[
    "usage",
    "credit",
    "credits",
    "quota",
    "quotas",
    "balance",
    "budget",
    "spend",
    "spending",
    "allowance",
    "funds",
    "subscription",
    "plan",
    "cost",
    "costs",
    "free tier",
    "your limit",
    "key limit",
    "daily limit",
    "weekly limit",
    "monthly limit",
    "额度",
    "余额",
    "配额",
    "用量",
    "点数",
    "积分",
    "流量包",
    "套餐",
    "费用",
    "消费",
    "限额",
    "次数",
];

/// Nothing of it is left.
const USED_UP: &[&str] = &[
    "out of",
    "insufficient",
    "not enough",
    "exceed*",
    "used up",
    "exhaust*",
    "deplet*",
    "reached",
    "reach your",
    "ran out",
    "run out",
    "running out",
    "too low",
    "is low",
    "is empty",
    "is zero",
    "overdue",
    "in arrears",
    "expired",
    "over your",
    "over its",
    "limit hit",
    "hit your",
    "add more",
    "requires more",
    "不足",
    "用尽",
    "用完",
    "耗尽",
    "用光",
    "超出",
    "超过",
    "超限",
    "已达",
    "达到",
    "欠费",
    "透支",
    "不够",
    "为零",
    "为 0",
    "到期",
    "过期",
];

/// Nothing of it is left; but only right before the thing that one pays for.
const NONE_OF_IT: &[&str] = &[
    "no", "without", "lacks", "low", "zero", "negative", "没有", "无",
];

/// Unpaid bills have words of their own.
const ARREARS: &[&str] = &[
    "arrears",
    "payment required",
    "please recharge",
    "欠费",
    "请充值",
];

/// Words for what is left of it.
const REMAINDER: &[&str] = &[
    "剩余",
    "余额",
    "remaining",
    "remainder",
    "left",
    "balance",
    "only afford",
];

/// Some endpoints set the cost of a request aside before it runs.
const SET_ASIDE: &[&str] = &[
    "pre deduct*",
    "prededuct*",
    "pre consum*",
    "preconsum*",
    "pre charge*",
    "precharg*",
    "reserve",
    "reserving",
    "reservation",
    "预扣",
    "预留",
    "预消费",
    "预付",
];
const FAILED: &[&str] = &[
    "fail*",
    "cannot",
    "could not",
    "insufficient",
    "not enough",
    "失败",
    "不足",
    "不够",
];

/// The owner of the credential.
const ACCOUNT: &[&str] = &[
    "organization",
    "organisation",
    "account",
    "workspace",
    "api key",
    "apikey",
    "access token",
    "账号",
    "账户",
    "帐号",
    "帐户",
    "用户",
    "组织",
    "密钥",
    "令牌",
];

/// The owner may not use it any more.
const DISABLED: &[&str] = &[
    "disabled",
    "suspended",
    "banned",
    "blocked",
    "deactivated",
    "terminated",
    "locked",
    "revoked",
    "closed",
    "frozen",
    "cancelled",
    "canceled",
    "expired",
    "禁用",
    "停用",
    "封禁",
    "冻结",
    "注销",
    "失效",
    "被封",
    "封号",
    "封停",
    "锁定",
    "吊销",
    "过期",
];

const MODEL: &[&str] = &["model", "models", "模型"];

/// A model is not available; after its name, or after the word for a model.
const NOT_TO_BE_HAD: &[&str] = &[
    "not found",
    "not exist",
    "does not exist",
    "doesn't exist",
    "not available",
    "unavailable",
    "not supported",
    "unsupported",
    "not allowed",
    "not enabled",
    "not served",
    "not configured",
    "not in the list",
    "not in list",
    "not listed",
    "isn't supported",
    "isn't available",
    "aren't supported",
    "no longer",
    "disabled",
    "switched off",
    "turned off",
    "deprecated",
    "retired",
    "unknown",
    "not permitted",
    "is invalid",
    "不存在",
    "不可用",
    "未开放",
    "未启用",
    "未找到",
    "找不到",
    "未配置",
    "已下线",
    "下架",
    "已停用",
    "暂不支持",
    "无可用",
    "没有可用",
];

/// A model is not available; before its name, or before the word for a model.
const NONE_FOR: &[&str] = &[
    "no access to",
    "access to",
    "permission to use",
    "permission for",
    "no permission",
    "not authorized",
    "no channel*",
    "no available",
    "unknown",
    "unsupported",
    "invalid",
    "does not serve",
    "doesn't serve",
    "not serve",
    "cannot find",
    "not support",
    "no such",
    "no healthy",
    "no upstream",
    "no provider*",
    "no route*",
    "无可用",
    "没有可用",
    "无权",
    "不支持",
    "未知",
    "找不到",
    "不存在",
];

/// The program that calls.
const CLIENT: &[&str] = &[
    "client",
    "clients",
    "user agent",
    "useragent",
    "claude code",
    "claudecode",
    "claude cli",
    "third party",
    "客户端",
    "终端工具",
];

/// The program that calls, in words that mean nothing else.
const PROGRAM: &[&str] = &[
    "user agent",
    "claude code",
    "claude cli",
    "third party",
    "客户端",
];

/// Which programs are allowed.
const ADMITTED: &[&str] = &[
    "only",
    "official",
    "not allowed",
    "may call",
    "forbidden",
    "forbids",
    "restrict*",
    "permitted",
    "not supported",
    "unsupported",
    "denied",
    "please use",
    "must use",
    "unauthorized",
    "仅",
    "只允许",
    "只支持",
    "只能",
    "限制",
    "仅限",
    "请使用",
    "禁止",
    "拒绝",
    "非官方",
    "不允许",
    "不支持",
];

/// The content of the request is the problem.
const CONTENT: &[&str] = &[
    "content filter*",
    "content policy",
    "content policies",
    "content safety",
    "content moderation",
    "content security",
    "content management policy",
    "content violat*",
    "safety check*",
    "safety filter*",
    "safety policy",
    "safety system",
    "moderation",
    "moderated",
    "risk control",
    "sensitive content",
    "sensitive words",
    "sensitive information",
    "inappropriate content",
    "prohibited content",
    "harmful content",
    "policy violation",
    "内容安全",
    "内容审核",
    "敏感词",
    "敏感内容",
    "敏感信息",
    "违规内容",
    "内容违规",
    "涉嫌违规",
    "不当内容",
    "安全检查未通过",
    "安全审核",
    "审核不通过",
    "审核未通过",
    "风险内容",
];

/// The request is too long.
const LONG: &[&str] = &[
    "long context",
    "context length",
    "context window",
    "context size",
    "context limit",
    "model token limit",
    "input length",
    "200k",
    "200 k",
    "200,000",
    "200000",
    "1m context",
    "1m tokens",
    "1m token",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input too long",
    "too large",
    "长上下文",
    "上下文长度",
    "上下文过长",
    "上下文窗口",
    "过长",
    "超长",
];

/// Signed thinking.
const THINKING: &[&str] = &["thinking"];
const SIGNED: &[&str] = &[
    "signature",
    "signatures",
    "bound to a different",
    "different conversation",
    "签名",
];

/// The most characters between two ideas.
const NEAR: usize = 40;

impl Told {
    pub(super) fn is_about_rate(&self) -> bool {
        self.text.has(RATE)
    }

    pub(super) fn says_quota_used_up(&self) -> bool {
        self.text.near(QUOTA, USED_UP, NEAR)
            || self.text.before(NONE_OF_IT, QUOTA, 6)
            || self.text.has(ARREARS)
            || self.text.has(&["enforced spend limit reached"])
    }

    /// Something is left, but not enough for this request, or its cost could not be set aside.
    pub(super) fn says_something_is_left(&self) -> bool {
        let left = self.text.number_behind(REMAINDER, 14);
        left.is_some_and(|left| left > 0.0) && (self.says_quota_used_up() || self.is_set_aside())
            || self.is_set_aside()
    }

    fn is_set_aside(&self) -> bool {
        self.text.near(SET_ASIDE, FAILED, NEAR)
    }

    pub(super) fn says_account_is_disabled(&self) -> bool {
        self.text.near(ACCOUNT, DISABLED, 24)
    }

    pub(super) fn says_model_is_not_served(&self, model: Option<&str>) -> bool {
        let named = model.map(normalized);
        let mut names = MODEL.to_vec();
        names.extend(
            named
                .as_deref()
                .map(str::trim)
                .filter(|name| !name.is_empty()),
        );
        // The API's own errors also say what a model does not support, later in the sentence.
        let near = if self.is_own { 16 } else { NEAR };
        self.text.before(&names, NOT_TO_BE_HAD, near) || self.text.before(NONE_FOR, &names, near)
    }

    pub(super) fn is_about_client(&self) -> bool {
        // The API's own errors also name tools of the client.
        let words = if self.is_own { PROGRAM } else { CLIENT };
        self.text.near(words, ADMITTED, NEAR)
    }

    pub(super) fn is_about_content(&self) -> bool {
        self.text.has(CONTENT)
    }

    pub(super) fn is_about_length(&self) -> bool {
        self.text.has(LONG)
    }

    pub(super) fn is_about_signature(&self) -> bool {
        self.text.near(THINKING, SIGNED, 80)
    }
}
