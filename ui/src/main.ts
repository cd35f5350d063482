import "./app.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { hostBackend } from "./lib/host";
import { mendLanguage } from "./lib/locale";

mendLanguage(navigator);

mount(App, { target: document.body, props: { backend: hostBackend() } });
