// Every way in which a page can have its browser ask a server for something.

import type { Answer } from "./scripted";

/** Tries it, and tells what the page has learnt: what came, or nothing; `null` if the browser does not even try. It
    runs in the page, and uses nothing from around it. */
export type Attempt = (url: string, body: string) => Promise<string | null>;

interface Way {
  attempt: Attempt;
  /** Whether the page learns something of a server that forbids nothing. */
  learns?: true;
  /** What such a server says. Without it, a page. */
  answer?: { type: string; body: string };
  /** The browser shows the request only to the attempt itself. */
  unseen?: true;
  /** Browsers send it to the page's own origin only. A trustworthy one is on loopback. */
  ownOriginOnly?: "any" | "trustworthy";
}

/** What shows that an answer of an endpoint got through. */
export const MARK = "said-by-an-endpoint";

const PAGE = {
  type: "text/html",
  body: `<!doctype html><title>${MARK}</title><p>${MARK}</p><script>
    document.title += " ran";
    fetch("/v1/files?way=stolen");
    navigator.serviceWorker?.register("/sw.js");
  </script>`,
};
const SCRIPT = { type: "text/javascript", body: "globalThis.ran = true;" };
const IMAGE = { type: "image/svg+xml", body: '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>' };
const STYLE = { type: "text/css", body: "p { color: red }" };
const EVENTS = { type: "text/event-stream", body: `data: ${MARK}\n\n` };

export const WAYS = {
  "form, url-encoded": {
    attempt: async (url, body) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: url });
      const field = Object.assign(document.createElement("input"), { name: body });
      const frame = Object.assign(document.createElement("iframe"), { name: `encoded-${url}` });
      form.target = frame.name;
      form.append(field);
      document.body.append(frame, form);
      form.submit();
      return "";
    },
  },
  "form, multipart": {
    attempt: async (url, body) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: url, enctype: "multipart/form-data" });
      const field = Object.assign(document.createElement("input"), { name: "body", value: body });
      const frame = Object.assign(document.createElement("iframe"), { name: `multipart-${url}` });
      form.target = frame.name;
      form.append(field);
      document.body.append(frame, form);
      form.submit();
      return "";
    },
  },
  // The one `=` that a browser adds lies in a string, so the body is JSON.
  "form, text": {
    attempt: async (url, body) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: url, enctype: "text/plain" });
      const field = Object.assign(document.createElement("input"), { name: body.replace(/}$/, ',"more":"'), value: '"}' });
      const frame = Object.assign(document.createElement("iframe"), { name: `text-${url}` });
      form.target = frame.name;
      form.append(field);
      document.body.append(frame, form);
      form.submit();
      return "";
    },
  },
  "form into a new window": {
    attempt: async (url, body) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: url, target: "_blank" });
      form.append(Object.assign(document.createElement("input"), { name: "body", value: body }));
      document.body.append(form);
      form.submit();
      return "";
    },
  },
  "form that reads": {
    attempt: async (url) => {
      const form = Object.assign(document.createElement("form"), { method: "get", action: url, target: "_blank" });
      // Its fields become the query.
      for (const [name, value] of new URL(url).searchParams) form.append(Object.assign(document.createElement("input"), { name, value }));
      document.body.append(form);
      form.submit();
      return "";
    },
  },
  image: {
    attempt: (url) =>
      new Promise((tell) => {
        const image = new Image();
        image.onload = () => tell("an image");
        image.onerror = () => tell("");
        image.src = url;
      }),
    learns: true,
    answer: IMAGE,
  },
  script: {
    attempt: (url) =>
      new Promise((tell) => {
        const script = document.createElement("script");
        script.onload = () => tell("a script");
        script.onerror = () => tell("");
        script.src = url;
        document.head.append(script);
      }),
    learns: true,
    answer: SCRIPT,
  },
  module: {
    attempt: (url) => import(url).then(() => "a module", () => ""),
    learns: true,
    answer: SCRIPT,
  },
  stylesheet: {
    attempt: (url) =>
      new Promise((tell) => {
        const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url });
        link.onload = () => tell("a stylesheet");
        link.onerror = () => tell("");
        document.head.append(link);
      }),
    learns: true,
    answer: STYLE,
  },
  preload: {
    attempt: async (url) => {
      document.head.append(Object.assign(document.createElement("link"), { rel: "preload", as: "script", href: url }));
      return "";
    },
    answer: SCRIPT,
  },
  prefetch: {
    attempt: async (url) => {
      document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href: url }));
      return "";
    },
  },
  iframe: {
    attempt: async (url) => {
      document.body.append(Object.assign(document.createElement("iframe"), { src: url }));
      return "";
    },
  },
  object: {
    attempt: async (url) => {
      document.body.append(Object.assign(document.createElement("object"), { type: "text/html", data: url }));
      return "";
    },
  },
  embed: {
    attempt: async (url) => {
      document.body.append(Object.assign(document.createElement("embed"), { type: "text/html", src: url }));
      return "";
    },
  },
  "fetch, simple": {
    attempt: (url) =>
      fetch(url).then(
        async (answer) => `${answer.status} ${await answer.text()}`,
        () => "",
      ),
    learns: true,
  },
  "fetch, simple, with cookies": {
    attempt: (url, body) =>
      fetch(url, { method: "POST", body, credentials: "include" }).then(
        async (answer) => `${answer.status} ${await answer.text()}`,
        () => "",
      ),
    learns: true,
  },
  "fetch, asked for before": {
    attempt: (url, body) =>
      fetch(url, { method: "POST", body, headers: { "content-type": "application/json", "x-zephyr-page": "key" } }).then(
        async (answer) => `${answer.status} ${await answer.text()}`,
        () => "",
      ),
    learns: true,
  },
  "fetch, asked for before, with cookies": {
    attempt: (url, body) =>
      fetch(url, { method: "PUT", body, credentials: "include" }).then(
        async (answer) => `${answer.status} ${await answer.text()}`,
        () => "",
      ),
    learns: true,
  },
  "fetch without reading": {
    attempt: (url, body) =>
      fetch(url, { method: "POST", mode: "no-cors", body }).then(
        async (answer) => (answer.type === "opaque" ? "" : `${answer.status} ${await answer.text()}`),
        () => "",
      ),
  },
  "fetch without reading, with cookies": {
    attempt: (url) =>
      fetch(url, { mode: "no-cors", credentials: "include" }).then(
        async (answer) => (answer.type === "opaque" ? "" : `${answer.status} ${await answer.text()}`),
        () => "",
      ),
  },
  XMLHttpRequest: {
    attempt: (url, body) =>
      new Promise((tell) => {
        const request = new XMLHttpRequest();
        request.onloadend = () => tell(request.status === 0 ? "" : `${request.status} ${request.responseText}`);
        request.open("POST", url);
        request.send(body);
      }),
    learns: true,
  },
  beacon: {
    attempt: async (url, body) => {
      navigator.sendBeacon(url, body);
      return "";
    },
  },
  "event source": {
    attempt: (url) =>
      new Promise((tell) => {
        const source = new EventSource(url, { withCredentials: true });
        const over = (learnt: string) => {
          source.close();
          tell(learnt);
        };
        source.onmessage = ({ data }) => over(String(data));
        source.onerror = () => over("");
      }),
    learns: true,
    answer: EVENTS,
  },
  "web socket": {
    attempt: (url) =>
      new Promise((tell) => {
        const socket = new WebSocket(url.replace("http", "ws"));
        socket.onopen = () => {
          socket.close();
          tell("a socket");
        };
        socket.onerror = () => tell("");
      }),
    learns: true,
    unseen: true,
  },
  link: {
    attempt: async (url) => {
      const link = Object.assign(document.createElement("a"), { href: url, target: "_blank" });
      document.body.append(link);
      link.click();
      return "";
    },
  },
  window: {
    attempt: async (url) => {
      window.open(url);
      return "";
    },
  },
  worker: {
    attempt: async (url) => {
      try {
        new Worker(url);
        return "";
      } catch {
        return null; // It is of another origin.
      }
    },
    answer: SCRIPT,
    ownOriginOnly: "any",
  },
  "service worker": {
    attempt: async (url) => {
      try {
        const { scope } = await navigator.serviceWorker.register(url, { scope: "/" });
        return `a service worker for ${scope}`;
      } catch {
        return "";
      }
    },
    learns: true,
    answer: SCRIPT,
    unseen: true,
    ownOriginOnly: "trustworthy",
  },
} satisfies Record<string, Way>;

export type WayName = keyof typeof WAYS;

export const wayNames = Object.keys(WAYS) as WayName[];

export const way = (name: WayName): Way => WAYS[name];

/** What a hostile endpoint says: what was asked for, readable by everybody, and everything that a browser would
    obey. */
export const tempting: Answer = (response, request) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://any");
  const asked = way((searchParams.get("way") ?? "link") as WayName) as Way | undefined;
  const { type, body } = pathname === "/sw.js" ? SCRIPT : (asked?.answer ?? PAGE);
  const { origin = "*" } = request.headers;
  response.writeHead(200, {
    "content-type": type,
    "set-cookie": `planted=${MARK}; Path=/`,
    "service-worker-allowed": "/",
    "clear-site-data": '"cookies"',
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET, POST, PUT",
    "access-control-allow-headers": "content-type, x-zephyr-page",
    "access-control-expose-headers": "x-zephyr-endpoint, x-zephyr-planted",
    "x-zephyr-endpoint": MARK,
    "x-zephyr-planted": MARK,
  });
  response.end(body);
};

/** A page that says nothing, on which all this is tried. At `/sandboxed` it has no origin. */
export const stage: Answer = (response, request) => {
  const isSandboxed = request.url === "/sandboxed";
  const policy = "sandbox allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox";
  response.writeHead(200, { "content-type": "text/html", ...(isSandboxed && { "content-security-policy": policy }) });
  response.end(STAGE);
};

export const STAGE = "<!doctype html><title>Hostile</title><body></body>";
