// The window over a recorded snapshot, for looking at while developing:
// `npm run dev`, then /tests/mock.html?state=degraded&language=zh&theme=dark. It is not in the build.

import "../src/app.css";

import { flushSync, mount } from "svelte";

import App from "../src/App.svelte";
import type { LanguageChoice, ThemeChoice } from "../src/lib/generated/control";
import { FakeBackend } from "./fake";
import { type SnapshotName, SNAPSHOTS, takenAt } from "./snapshots";

const asked = new URLSearchParams(location.search);
const name = asked.get("state") ?? "healthy";
const fake = new FakeBackend();
mount(App, { target: document.body, props: { backend: fake } });
flushSync();

if (name in SNAPSHOTS) {
  const appearance = {
    language: (asked.get("language") ?? "auto") as LanguageChoice,
    theme: (asked.get("theme") ?? "auto") as ThemeChoice,
  };
  fake.send({ ...takenAt(Date.now(), SNAPSHOTS[name as SnapshotName]), appearance });
}
if (asked.has("lost")) fake.lose(asked.get("lost") ?? "");
if (asked.has("refuse")) {
  fake.outcome = () => Promise.reject({ code: "not_possible", message: asked.get("refuse") });
}
