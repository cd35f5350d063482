//! `zephyr explain` and `zephyr rules test`, over answers in files.

use std::process::Output;

use crate::home::Home;

const USED_UP: &str = "HTTP/2 403\r\ncontent-type: application/json\r\nretry-after: 90\r\n\r\n\
    {\"error\":{\"message\":\"用户额度不足\",\"type\":\"new_api_error\"}}";

const TEAPOT: &str = "{\"status\": 418, \"body\": \"Kein Guthaben mehr\"}";

fn said(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn complained(output: &Output) -> (Option<i32>, &str) {
    (
        output.status.code(),
        str::from_utf8(&output.stderr).unwrap(),
    )
}

#[test]
fn a_recorded_answer_is_explained_in_either_language() {
    let home = Home::new();
    home.configure("[ui]\nlanguage = \"en\"\n");
    home.write("answer.txt", USED_UP);

    let english = home.run(&["explain", "answer.txt"]);
    home.configure("[ui]\nlanguage = \"zh\"\n");
    let chinese = home.run(&["explain", "answer.txt"]);

    let lines: Vec<&str> = said(&english).lines().collect();
    assert_eq!(
        lines,
        [
            "   came back  403",
            "   taken for  quota used up: quota or credit used up (HTTP 403)",
            "   about      its credential or account",
            "   known      by the words in it",
            "   until      90.0 s after the answer",
            "Another endpoint is asked; the client does not see this answer.",
        ]
    );
    assert!(said(&chinese).contains("依据"), "{chinese:?}");
}

#[test]
fn an_answer_may_come_from_another_program() {
    use std::io::Write;
    use std::process::Stdio;

    let home = Home::new();
    home.configure("");
    let mut child = home
        .zephyr(&["explain", "-", "--model", "claude-haiku-4-5"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let answer = "HTTP/1.1 503 Busy\n\nNo available channel for model claude-haiku-4-5";
    child
        .stdin
        .take()
        .unwrap()
        .write_all(answer.as_bytes())
        .unwrap();

    let output = child.wait_with_output().unwrap();

    assert!(said(&output).contains("this model there"), "{output:?}");
}

#[test]
fn rules_are_tried_in_their_order() {
    let home = Home::new();
    home.configure(
        "[[failover.rules]]\nstatus = 403\nthen = \"stop\"\n\n\
         [[failover.rules]]\ncontains = \"GUTHABEN\"\nthen = \"exhausted\"\n\n\
         [[failover.rules]]\nstatus = 418\n",
    );
    home.write("answer.json", TEAPOT);

    let output = home.run(&["rules", "test", "answer.json"]);

    let text = said(&output);
    for line in [
        "rule 1 does not fit",
        "rule 2 fits, and decides",
        "rule 3 fits, but an earlier one decides",
        "by rule 2 of failover.rules",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn what_cannot_be_explained_says_what_to_do() {
    let home = Home::new();
    home.configure("");
    home.write("page.html", "<html>no answer</html>");
    home.write("answer.json", TEAPOT);

    let missing = home.run(&["explain", "nothing.txt"]);
    let page = home.run(&["explain", "page.html"]);
    let stranger = home.run(&["explain", "answer.json", "--endpoint", "relay"]);
    let no_rules = home.run(&["rules", "test", "answer.json"]);

    for (output, code, says) in [
        (&missing, 2, "nothing.txt cannot be read"),
        (&page, 2, "record one with `curl -i`"),
        (&stranger, 1, "no endpoint is named relay"),
        (&no_rules, 1, "there are no rules"),
    ] {
        let (exit, text) = complained(output);
        assert_eq!(exit, Some(code), "{text}");
        assert!(text.contains(says), "{text}");
    }
}
